package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.ADD_FUNCTION;
import static gunyah.vmm.conformance.Client.IOEVENTFD;
import static gunyah.vmm.conformance.Client.IRQFD;
import static gunyah.vmm.conformance.Client.KEEP_SIZE;
import static gunyah.vmm.conformance.Client.LEND;
import static gunyah.vmm.conformance.Client.PUNCH;
import static gunyah.vmm.conformance.Client.R;
import static gunyah.vmm.conformance.Client.REMOVE_FUNCTION;
import static gunyah.vmm.conformance.Client.RWX;
import static gunyah.vmm.conformance.Client.SHARE;
import static gunyah.vmm.conformance.Client.UNMAP;
import static gunyah.vmm.conformance.Client.VCPU;
import static gunyah.vmm.conformance.Client.bytes;
import static gunyah.vmm.conformance.Client.failed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.uapi.FunctionProvider;
import gunyah.vmm.uapi.GunyahFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What the calls take and refuse, before anything runs. */
class UapiScenariosTest extends ScenarioTest {
    private static final long MIB = 1 << 20;
    private static final long A = 0x8000_0000L;
    private static final long B = 0x9000_0000L;

    @Test
    @Scenario(29)
    void createVmTakesNoArgument() {
        assertThat(client.ioctl(client.device, Client.CREATE_VM, 1)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.createVm()).isPositive();
    }

    @Test
    @Scenario(30)
    void everyFileRefusesRequestsThatAreNotItsOwn() {
        int vm = client.createVm();
        int vcpu = client.addVcpu(vm, 0);
        int memory = (int) client.createMemory(4096, 0);
        for (int fd : new int[] {client.device, vm, vcpu, memory, client.eventFd()}) {
            assertThat(client.ioctl(fd, 0x47FF, 0)).isEqualTo(failed(Errno.ENOTTY));
            assertThat(client.ioctl(fd, Client.SET_USER_MEM_REGION, client.struct(bytes(32))))
                    .isEqualTo(failed(Errno.ENOTTY));
        }
        assertThat(client.ioctl(vm, Client.RUN, 0)).isEqualTo(failed(Errno.ENOTTY));
        assertThat(client.ioctl(vcpu, Client.START, 0)).isEqualTo(failed(Errno.ENOTTY));
        assertThat(client.ioctl(client.device, Client.MAP_MEM, 0)).isEqualTo(failed(Errno.ENOTTY));
        assertThat(client.ioctl(999, Client.START, 0)).isEqualTo(failed(Errno.EBADF));
        assertThat(client.ioctl(vm, Client.SET_DTB_CONFIG, 0xDEAD_0000L)).isEqualTo(failed(Errno.EFAULT));
    }

    @Test
    @Scenario(49)
    void deviceTreeMayNotWrapAround() {
        int vm = client.createVm();

        assertThat(client.setDtb(vm, -4096, 8192)).isEqualTo(failed(Errno.EOVERFLOW));
    }

    @Test
    @Scenario(51)
    void bootRegistersAreThoseThatExist() {
        int vm = client.createVm();

        assertThat(client.setRegister(vm, 0, 31, 1)).isZero();
        assertThat(client.setRegister(vm, 1, 0, 1)).isZero();
        assertThat(client.setRegister(vm, 2, 2, 1)).isZero();
        assertThat(client.setRegister(vm, 0, 32, 1)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.setRegister(vm, 1, 1, 1)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.setRegister(vm, 2, 3, 1)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.setRegister(vm, 3, 0, 1)).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    @Scenario({54, 55, 56})
    void functionsHaveAKnownTypeAndTheirExactSize() {
        int vm = client.createVm();

        assertThat(client.function(vm, ADD_FUNCTION, VCPU, bytes(257))).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.function(vm, ADD_FUNCTION, 99, bytes(4))).isEqualTo(failed(Errno.ENOENT));
        assertThat(client.function(vm, ADD_FUNCTION, VCPU, bytes(8))).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, bytes(12))).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.function(vm, ADD_FUNCTION, IOEVENTFD, bytes(24))).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    @Scenario(57)
    void aVcpuIdIsTakenUntilItIsRemoved() {
        int vm = client.createVm();
        assertThat(client.addVcpu(vm, 0)).isPositive();

        assertThat(client.addVcpu(vm, 0)).isEqualTo((int) failed(Errno.EEXIST));
        assertThat(client.function(vm, REMOVE_FUNCTION, VCPU, Client.vcpu(0))).isZero();
        assertThat(client.addVcpu(vm, 0)).isPositive();
        assertThat(client.function(vm, REMOVE_FUNCTION, VCPU, Client.vcpu(500))).isEqualTo(failed(Errno.ENOENT));
    }

    @Test
    @Scenario(58)
    void anIrqFdIsRemovedByItsLabel() {
        int vm = client.createVm();
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(client.eventFd(), 5, 0))).isZero();

        assertThat(client.function(vm, REMOVE_FUNCTION, IRQFD, Client.irqFd(client.eventFd(), 6, 0)))
                .isEqualTo(failed(Errno.ENOENT));
        assertThat(client.function(vm, REMOVE_FUNCTION, IRQFD, Client.irqFd(client.eventFd(), 5, 0))).isZero();
        assertThat(client.function(vm, REMOVE_FUNCTION, IRQFD, Client.irqFd(client.eventFd(), 5, 0)))
                .isEqualTo(failed(Errno.ENOENT));
    }

    /** Logs what is unbound. */
    private record Logged(long result, List<String> log, String name) implements FunctionProvider {
        @Override
        public Bound bind(GunyahFiles files, GunyahVm vm, byte[] argument) {
            String what = name + argument[0];
            Bound bound = new Bound(result, () -> {
                log.add(what);
                return CompletableFuture.completedStage(null);
            });
            vm.addFunction(bound.function());
            return bound;
        }

        @Override
        public boolean isSame(byte[] argument, byte[] asked) {
            return argument[0] == asked[0];
        }
    }

    @Test
    @Scenario(63)
    void theLaterProviderOfATypeIsUsed() {
        List<String> log = new ArrayList<>();
        client.providers.register(77, new Logged(5, log, "first "));
        client.providers.register(77, new Logged(6, log, "second "));
        int vm = client.createVm();

        assertThat(client.function(vm, ADD_FUNCTION, 77, bytes(1))).isEqualTo(6);
        assertThat(client.function(vm, REMOVE_FUNCTION, 77, bytes(1).put(0, (byte) 9)))
                .isEqualTo(failed(Errno.ENOENT));
        assertThat(client.function(vm, REMOVE_FUNCTION, 77, bytes(1))).isZero();
        assertThat(log).containsExactly("second 0");
        assertThatThrownBy(() -> client.providers.register(77, null)).isInstanceOf(GunyahError.class)
                .hasMessageContaining("EINVAL");
    }

    @Test
    @Scenario(64)
    void functionsAreUnboundNewestFirst() {
        List<String> log = new ArrayList<>();
        client.providers.register(77, new Logged(0, log, ""));
        int vm = client.createVm();
        client.function(vm, ADD_FUNCTION, 77, bytes(1).put(0, (byte) 1));
        client.function(vm, ADD_FUNCTION, 77, bytes(1).put(0, (byte) 2));

        assertThat(client.close(vm)).isZero();

        assertThat(log).containsExactly("2", "1");
    }

    @Test
    @Scenario(86)
    void theRunPageIsOnePageOfZeros() {
        int vcpu = client.addVcpu(client.createVm(), 0);

        assertThat(client.ioctl(vcpu, Client.MMAP_SIZE, 0)).isEqualTo(4096);
        assertThat(client.page(vcpu).bytes()).hasSize(4096).containsOnly(0);
        assertThat(client.page(vcpu).exitReason()).isZero();
    }

    @Test
    @Scenario(87)
    void guestMemoryHasWholePagesAndKnownFlags() {
        assertThat(client.createMemory(4097, 0)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.createMemory(4096, 4)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.createMemory(0, 0)).isPositive();
        assertThat(client.files.isCloseOnExec((int) client.createMemory(4096, 1))).isTrue();
        assertThat(client.files.isCloseOnExec((int) client.createMemory(4096, 0))).isFalse();
        assertThat(client.files.isCloseOnExec(client.createVm())).isTrue();
    }

    @Test
    @Scenario(88)
    void badMappingsAreRefused() {
        int vm = client.createVm();
        int memory = (int) client.createMemory(MIB, 0);

        assertThat(client.map(vm, LEND, memory, A, 0, MIB)).as("no ALLOW bit").isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, 3 | RWX, memory, A, 0, MIB)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, memory, A + 1, 0, MIB)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, memory, A, 1, 4096)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, memory, A, 0, 4097)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, client.eventFd(), A, 0, 4096)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX | 0x200, memory, A, 0, 4096)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, memory, A, 0, 2 * MIB)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, LEND | RWX, memory, A, 0, MIB)).isZero();
    }

    @Test
    @Scenario(89)
    void neitherFileNorGuestRangesOverlap() {
        int vm = client.createVm();
        int other = client.createVm();
        int memory = (int) client.createMemory(20 * MIB, 0);
        assertThat(client.map(vm, LEND | RWX, memory, A, 0, 10 * MIB)).isZero();

        for (int access : new int[] {LEND, SHARE}) {
            assertThat(client.map(vm, access | RWX, memory, B, 0, 10 * MIB)).isEqualTo(failed(Errno.EEXIST));
            assertThat(client.map(other, access | RWX, memory, B, MIB, MIB)).isEqualTo(failed(Errno.EEXIST));
        }
        assertThat(client.map(vm, LEND | RWX, memory, B, 10 * MIB, 10 * MIB)).isZero();
        int second = (int) client.createMemory(MIB, 0);
        assertThat(client.map(vm, LEND | RWX, second, A + MIB, 0, MIB)).isEqualTo(failed(Errno.EEXIST));
    }

    @Test
    @Scenario(90)
    void unmappingNamesTheBindingOrItsHeadOrTail() {
        int vm = client.createVm();
        int memory = (int) client.createMemory(8 * MIB, 0);
        int flags = LEND | RWX;
        assertThat(client.map(vm, flags, memory, A, MIB, 6 * MIB)).isZero();

        assertThat(client.map(vm, flags | UNMAP, memory, B, MIB, MIB)).isEqualTo(failed(Errno.ENOENT));
        assertThat(client.map(vm, SHARE | RWX | UNMAP, memory, A, MIB, MIB)).isEqualTo(failed(Errno.ENOENT));
        assertThat(client.map(vm, LEND | R | UNMAP, memory, A, MIB, MIB)).isEqualTo(failed(Errno.ENOENT));
        assertThat(client.map(vm, flags | UNMAP, memory, A, 2 * MIB, MIB)).isEqualTo(failed(Errno.ENOENT));
        assertThat(client.map(vm, flags | UNMAP, memory, A + MIB, 2 * MIB, MIB)).as("middle")
                .isEqualTo(failed(Errno.EINVAL));
        assertThat(client.map(vm, flags | UNMAP, memory, A, MIB, MIB)).as("head").isZero();
        assertThat(client.map(vm, flags | UNMAP, memory, A + 5 * MIB, 6 * MIB, MIB)).as("tail").isZero();
        assertThat(client.map(vm, flags | UNMAP, memory, A + MIB, 2 * MIB, MIB)).as("head again").isZero();
        assertThat(client.map(vm, flags | UNMAP, memory, A + 2 * MIB, 3 * MIB, 3 * MIB)).as("rest").isZero();
        assertThat(client.map(vm, flags, memory, A, 0, 8 * MIB)).as("all is free again").isZero();
        assertThat(client.map(vm, flags | UNMAP, memory, A, 0, 8 * MIB)).as("exactly").isZero();
    }

    @Test
    @Scenario(106)
    void allocationKeepsTheSize() {
        int memory = (int) client.createMemory(MIB, 0);

        assertThat(client.files.fallocate(memory, 0, 0, 4096)).isEqualTo(failed(Errno.EOPNOTSUPP));
        assertThat(client.files.fallocate(memory, KEEP_SIZE | 8, 0, 4096)).isEqualTo(failed(Errno.EOPNOTSUPP));
        assertThat(client.files.fallocate(memory, KEEP_SIZE, 1, 4096)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.files.fallocate(memory, KEEP_SIZE, MIB, 4096)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.files.fallocate(memory, PUNCH, 2 * MIB, 4096)).isZero();
        assertThat(client.files.fallocate(memory, KEEP_SIZE, 49 * MIB, 4096)).isEqualTo(failed(Errno.EINVAL));
        int before = bench.device.usedHostPages();
        assertThat(client.files.ftruncate(memory, 100 * MIB)).isZero();
        assertThat(client.files.fallocate(memory, KEEP_SIZE, 49 * MIB, 8192)).isZero();
        assertThat(bench.device.usedHostPages() - before).isEqualTo(2);
        client.writeLong(memory, 49 * MIB, 7);
        assertThat(client.files.ftruncate(memory, 49 * MIB)).isZero();
        assertThat(client.files.ftruncate(memory, 100 * MIB)).isZero();
        assertThat(client.readLong(memory, 49 * MIB)).as("cut off and grown again").isZero();
        assertThat(client.files.ftruncate(memory, 4097)).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    @Scenario(108)
    void guestMemoryIsNotMappedPrivately() {
        int memory = (int) client.createMemory(MIB, 0);

        assertThatThrownBy(() -> client.files.mmap(memory, 0, 4096, false)).isInstanceOf(GunyahError.class)
                .hasMessageContaining("EINVAL");
    }

    @Test
    @Scenario(119)
    void irqFdsNeedAnEventAndALabelOfTheirOwn() {
        int vm = client.createVm();
        int event = client.eventFd();

        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, 1, 2))).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(777, 1, 0))).isEqualTo(failed(Errno.EBADF));
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(vm, 1, 0))).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, 1, 0))).isZero();
        assertThat(client.function(vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, 1, 1))).isEqualTo(failed(Errno.EEXIST));
    }

    @Test
    @Scenario(120)
    void ioEventFdsHaveALegalLengthAndRange() {
        int vm = client.createVm();
        int event = client.eventFd();

        assertThat(ioEventFd(vm, 0, 0x8000, 3, event, 0)).isEqualTo(failed(Errno.EINVAL));
        assertThat(ioEventFd(vm, 0, 0x8000, 16, event, 0)).isEqualTo(failed(Errno.EINVAL));
        assertThat(ioEventFd(vm, 5, 0x8000, 0, event, 1)).as("data without length").isEqualTo(failed(Errno.EINVAL));
        assertThat(ioEventFd(vm, 0, 0x8000, 4, event, 4)).isEqualTo(failed(Errno.EINVAL));
        assertThat(ioEventFd(vm, 0, -4, 8, event, 0)).as("wraps").isEqualTo(failed(Errno.EINVAL));
        assertThat(ioEventFd(vm, 0, 0x8000, 4, 777, 0)).isEqualTo(failed(Errno.EBADF));
    }

    @Test
    @Scenario(121)
    void storesFitOneHandlerOnly() {
        int vm = client.createVm();
        int event = client.eventFd();
        assertThat(ioEventFd(vm, 0, 0x8000, 8, event, 0)).isZero();

        assertThat(ioEventFd(vm, 0, 0x8000, 4, event, 0)).isEqualTo(failed(Errno.EEXIST));
        assertThat(ioEventFd(vm, 5, 0x8000, 4, event, 1)).isEqualTo(failed(Errno.EEXIST));
        assertThat(ioEventFd(vm, 0, 0x8008, 8, event, 0)).isZero();
    }

    private long ioEventFd(int vm, long data, long address, int length, int fd, int flags) {
        return client.function(vm, ADD_FUNCTION, IOEVENTFD, Client.ioEventFd(data, address, length, fd, flags));
    }
}
