package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.uapi.Dialect;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The calls two VMMs make, in their order, with one program for both. */
class ClientSequencesTest extends ScenarioTest {
    private static final int PAGE = 4096;
    private static final long SERIAL = 0x3F800;
    private static final int LEVEL = 1;
    private static final int RUN_PAGE_USED = 40;
    /** Where crosvm's memory lies in its process. */
    private static final long OWN_RAM = 0x7000_0000_0000L;
    private static final long OWN_BUFFERS = 0x7100_0000_0000L;
    private static final int BUFFERS_SIZE = 16 * PAGE;
    private static final long BUFFERS = 0x1000_0000L;
    private static final int REGION_RWX = 7;

    private Client android;

    @BeforeEach
    void newAndroidProcess() {
        android = new Client(bench.device, Dialect.ANDROID);
    }

    @AfterEach
    void endAndroidProcess() {
        android.close();
    }

    @Test
    @Scenario(132)
    void theTestVmmBootsTheProgram() {
        byte[] tree = Guest.tree(8);
        int vm = client.createVm();
        Probe[] cpus = new Probe[8];
        for (int id = 0; id < cpus.length; id++) {
            int fd = client.addVcpu(vm, id);
            assertThat(client.ioctl(fd, Client.MMAP_SIZE, 0)).isGreaterThanOrEqualTo(RUN_PAGE_USED);
            cpus[id] = new Probe(client, fd);
        }
        assertThat(client.function(vm, Client.ADD_FUNCTION, Client.IRQFD,
                Client.irqFd(client.eventFd(), Guest.LINE, 0))).isZero();
        int memory = (int) client.createMemory(Guest.RAM_SIZE, 0);
        assertThat(client.map(vm, Client.LEND | Client.RWX, memory, Guest.RAM, 0, Guest.RAM_SIZE)).isZero();
        long end = Guest.RAM + Guest.RAM_SIZE;
        long dtb = end - tree.length - 2 * PAGE & -PAGE;
        client.write(memory, dtb - Guest.RAM, tree);
        assertThat(client.setDtb(vm, dtb, tree.length + PAGE + PAGE - 1 & -PAGE)).isZero();
        assertThat(client.setRegister(vm, 1, 0, Guest.RAM)).isZero();
        client.write(memory, 0, Guest.program());
        assertThat(client.start(vm)).isZero();

        cpus[0].awaitUp();
        assertThat(cpus[0].store(SERIAL, 1, 'A')).isEqualTo(new Probe.Exit(Probe.EXIT_MMIO));
        assertThat(cpus[0].page.address()).isEqualTo(SERIAL);
        assertThat(cpus[0].page.mmioData()).isEqualTo('A');
        assertThat(cpus[0].go()).isEqualTo(new Probe.Value(0));
        assertThat(cpus[0].get(Guest.FREE)).isZero();
    }

    @Test
    @Scenario(132)
    void crosvmBootsTheProgramFromItsOwnMemory() {
        int used = bench.device.usedHostPages();
        HostMapping ram = android.files.mmapAnonymous(OWN_RAM, Guest.RAM_SIZE);
        HostMapping buffers = android.files.mmapAnonymous(OWN_BUFFERS, BUFFERS_SIZE);
        int vm = android.createVm();
        assertThat(android.region(vm, Client.LEND_USER_MEM, 0, REGION_RWX, Guest.RAM, Guest.RAM_SIZE, OWN_RAM)).isZero();
        assertThat(android.region(vm, Client.SET_USER_MEM_REGION, 1, REGION_RWX, BUFFERS, BUFFERS_SIZE, OWN_BUFFERS))
                .isZero();
        int fd = android.addVcpu(vm, 0);
        assertThat(android.ioctl(fd, Client.MMAP_SIZE, 0)).isGreaterThanOrEqualTo(RUN_PAGE_USED);
        Probe cpu = new Probe(android, fd);
        assertThat(android.function(vm, Client.ADD_FUNCTION, Client.IRQFD,
                Client.irqFd(android.eventFd(), Guest.LINE, LEVEL))).isZero();
        int notify = android.eventFd();
        // its flag of a matched value is one bit too high
        assertThat(android.function(vm, Client.ADD_FUNCTION, Client.IOEVENTFD,
                Client.ioEventFd(1, 0x5000, 4, notify, 2))).isEqualTo(Client.failed(Errno.EINVAL));
        assertThat(android.function(vm, Client.ADD_FUNCTION, Client.IOEVENTFD,
                Client.ioEventFd(0, 0x5000, 0, notify, 0))).isZero();
        byte[] program = Guest.program();
        byte[] tree = Guest.tree(1);
        ram.write(Guest.DTB - Guest.RAM, tree, 0, tree.length);
        ram.write(0, program, 0, program.length);
        assertThat(android.setDtb(vm, Guest.DTB, Guest.DTB_SIZE)).isZero();
        assertThat(android.setRegister(vm, 1, 0, Guest.RAM)).isEqualTo(Client.failed(Errno.ENOTTY));
        assertThat(android.start(vm)).isZero();

        cpu.awaitUp();
        assertThat(android.start(vm)).as("again").isZero();
        cpu.put(Guest.FREE, 42);
        assertThat(cpu.get(Guest.FREE)).isEqualTo(42);
        assertThatThrownBy(() -> ram.read(Guest.FREE - Guest.RAM, new byte[8], 0, 8)).as("lent")
                .isInstanceOfSatisfying(GunyahError.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
        cpu.put(BUFFERS + PAGE, 43);
        byte[] seen = new byte[8];
        buffers.read(PAGE, seen, 0, 8);
        assertThat(seen).as("shared").isEqualTo(Client.bytes(8).putLong(0, 43).array());
        buffers.write(PAGE, Client.bytes(8).putLong(0, 44).array(), 0, 8);
        assertThat(cpu.get(BUFFERS + PAGE)).isEqualTo(44);
        Probe.value(cpu.store(0x5000, 4, 1));
        assertThat(android.files.events(notify)).isEqualTo(1);

        assertThat(android.files.munmap(OWN_BUFFERS)).isZero();
        assertThat(cpu.get(BUFFERS + PAGE)).as("the VM keeps what was unmapped").isEqualTo(44);
        android.close(fd);
        android.close(vm);
        byte[] all = new byte[(int) Guest.RAM_SIZE];
        Arrays.fill(all, (byte) 1);
        ram.read(Guest.FREE - Guest.RAM, all, 0, PAGE);
        assertThat(Arrays.copyOf(all, PAGE)).as("came back").isEqualTo(new byte[PAGE]);
        assertThat(android.files.munmap(OWN_RAM)).isZero();
        assertThat(bench.device.usedHostPages()).isEqualTo(used);
    }

    @Test
    void memoryOfTheProcessIsGivenOnceAndWhole() {
        android.files.mmapAnonymous(OWN_RAM, Guest.RAM_SIZE);
        int vm = android.createVm();
        assertThat(lend(vm, 0, REGION_RWX, Guest.RAM, 4 * PAGE, OWN_RAM)).isZero();
        assertThat(lend(vm, 0, REGION_RWX, Guest.FREE, PAGE, OWN_RAM + 8 * PAGE)).as("label").isEqualTo(
                Client.failed(Errno.EEXIST));
        assertThat(lend(vm, 1, REGION_RWX, Guest.RAM + PAGE, PAGE, OWN_RAM + 8 * PAGE)).as("guest's addresses").isEqualTo(
                Client.failed(Errno.EEXIST));
        assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, PAGE, OWN_RAM + PAGE)).as("lent already").isEqualTo(
                Client.failed(Errno.EEXIST));
        assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, 2 * PAGE, OWN_RAM + Guest.RAM_SIZE - PAGE)).isEqualTo(
                Client.failed(Errno.EFAULT));
        assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, PAGE, OWN_BUFFERS)).isEqualTo(Client.failed(Errno.EFAULT));
        for (int flags : new int[] {0, 8, 0x70}) {
            assertThat(lend(vm, 1, flags, Guest.FREE, PAGE, OWN_RAM + 8 * PAGE)).as("flags %x", flags).isEqualTo(
                    Client.failed(Errno.EINVAL));
        }
        for (long size : new long[] {0, -PAGE, 100}) {
            assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, size, OWN_RAM + 8 * PAGE)).as("size %x", size).isEqualTo(
                    Client.failed(Errno.EINVAL));
        }
        assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, PAGE, OWN_RAM + 8 * PAGE + 8)).as("unaligned").isEqualTo(
                Client.failed(Errno.EINVAL));
        assertThat(lend(vm, 1, REGION_RWX, Guest.FREE, PAGE, OWN_RAM + 8 * PAGE)).isZero();
    }

    @Test
    void memoryOfTheProcessHasAnAddressOfItsOwn() {
        android.files.mmapAnonymous(OWN_RAM, 2 * PAGE);
        for (long[] range : new long[][] {{OWN_RAM, PAGE}, {OWN_RAM + PAGE, PAGE}, {OWN_RAM - PAGE, 2 * PAGE}}) {
            assertErrno(Errno.EEXIST, range[0], range[1]);
        }
        assertErrno(Errno.EINVAL, OWN_BUFFERS + 8, PAGE);
        assertErrno(Errno.EINVAL, OWN_BUFFERS, 8);
        assertErrno(Errno.EINVAL, OWN_BUFFERS, 0);
        assertThat(android.files.munmap(OWN_RAM + PAGE)).isEqualTo(Client.failed(Errno.EINVAL));
        assertThat(android.files.munmap(OWN_RAM)).isZero();
        android.files.mmapAnonymous(OWN_RAM + PAGE, PAGE);
    }

    private void assertErrno(Errno errno, long address, long length) {
        assertThatThrownBy(() -> android.files.mmapAnonymous(address, length)).isInstanceOfSatisfying(GunyahError.class,
                e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void eachDialectHasItsOwnCalls() {
        int vm = android.createVm();
        ByteBuffer none = Client.bytes(64);
        assertThat(android.ioctl(android.device, Client.CREATE_GUEST_MEM, android.struct(none))).isEqualTo(
                Client.failed(Errno.ENOTTY));
        assertThat(android.ioctl(vm, Client.MAP_MEM, android.struct(none))).isEqualTo(Client.failed(Errno.ENOTTY));
        assertThat(client.ioctl(client.createVm(), Client.LEND_USER_MEM, client.struct(none))).isEqualTo(
                Client.failed(Errno.ENOTTY));
    }

    private long lend(int vm, int label, int flags, long gpa, long size, long address) {
        return android.region(vm, Client.LEND_USER_MEM, label, flags, gpa, size, address);
    }
}
