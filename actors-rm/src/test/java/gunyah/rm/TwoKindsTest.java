package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.HypError;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A VM that the hypervisor schedules and one that its owner runs, at the same moment, both executing guest code. */
@Tag("guest")
class TwoKindsTest {
    private static final long PROXY = 0x4400_0000L;
    private static final long SCHEDULED = 0x4500_0000L;
    private static final int IMAGE_SIZE = 0x1_0000;
    private static final int TREE = 0x8000;
    private static final int PAGE_LABEL = 77;
    private static final long POWERED_OFF = 2;
    private static final long PSCI_RESET = 0x100;
    private static final long SYSTEM_OFF = 0x8400_0008L;
    private static final long SYSTEM_RESET2 = 0xC400_0012L;
    private static final long MUCH = 1000;

    /** Counts in the first word of a page until the second is not 0: then that is the call it makes. */
    private static final int[] PROGRAM = {
            0xD2B2_0001, // mov x1, #0x90000000
            0xF940_0022, // loop: ldr x2, [x1]
            0x9100_0442, // add x2, x2, #0x1
            0xF900_0022, // str x2, [x1]
            0xF940_0420, // ldr x0, [x1, #8]
            0xB4FF_FF80, // cbz x0, loop
            0xD280_00E1, // mov x1, #0x7
            0xD280_0122, // mov x2, #0x9
            0xD400_0002, // hvc #0x0
            0x1400_0000, // b .
    };

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private static DtNode tree(String affinity) {
        DtNode root = Agent.tree(affinity, 1);
        root.find("/gunyah-vm-config/vcpus").orElseThrow().strings("affinity", affinity);
        return root;
    }

    private record Guest(int vmid, int image, int page, long base, long vcpu) {
        long shared() {
            return base + IMAGE_SIZE;
        }
    }

    private Guest start(DtNode tree, long base) {
        ByteBuffer code = ByteBuffer.allocate(4 * PROGRAM.length).order(ByteOrder.LITTLE_ENDIAN);
        code.asIntBuffer().put(PROGRAM);
        host.port.write(base, code.array(), 0, code.capacity());
        byte[] blob = GuestTrees.blob(tree);
        host.port.write(base + TREE, blob, 0, blob.length);
        int vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u16();
        int image = create(MessageId.MEM_LEND, 0, base, IMAGE_SIZE, new AclEntry(vmid, 7));
        int page = create(MessageId.MEM_SHARE, PAGE_LABEL, base + IMAGE_SIZE, 0x1000, new AclEntry(3, 6),
                new AclEntry(vmid, 6));
        host.ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, image, 0, TREE, TREE, IMAGE_SIZE - TREE));
        host.ok(MessageId.VM_INIT, new VmRequest(vmid));
        host.ok(MessageId.VM_START, new VmRequest(vmid));
        HypResource vcpu = HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid))).stream()
                .filter(r -> r.type() == ResourceType.VCPU.value()).findFirst().orElseThrow();
        return new Guest(vmid, image, page, base, vcpu.capId());
    }

    private int create(MessageId id, int label, long ipa, long size, AclEntry... acl) {
        return new WireReader(host.ok(id, new ParcelCreate(0, 0, label, List.of(acl),
                List.of(new MemRange(ipa, size)), List.of()))).u32();
    }

    private long count(Guest guest) {
        return host.read(guest.shared());
    }

    private void awaitProgress(Guest... guests) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        for (Guest guest : guests) {
            long goal = count(guest) + MUCH;
            while (count(guest) < goal) {
                assertThat(System.nanoTime() - deadline).as("VM %d counts", guest.vmid).isNegative();
                LockSupport.parkNanos(50_000);
            }
        }
    }

    private void tellToCall(Guest guest, long function) {
        byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(function).array();
        host.port.write(guest.shared() + 8, bytes, 0, 8);
    }

    private VmExited exit() {
        return VmExited.decode(host.await(MessageId.VM_EXITED, payload -> true).payload());
    }

    @Test
    void theHypervisorSchedulesOneVmWhileItsOwnerRunsTheOther() throws Exception {
        Guest proxy = start(tree("proxy"), PROXY);
        Guest scheduled = start(tree("static"), SCHEDULED);
        assertThat(count(proxy)).as("waits for its owner").isZero();
        assertThat(HypError.of(host.run(scheduled.vcpu)[0])).isEqualTo(HypError.BUSY);

        CompletableFuture<long[]> stopped = host.running(proxy.vcpu);
        awaitProgress(proxy, scheduled, proxy, scheduled);
        tellToCall(scheduled, SYSTEM_OFF);
        VmExited off = exit();
        awaitProgress(proxy);
        assertThat(stopped).isNotDone();
        tellToCall(proxy, SYSTEM_RESET2);

        assertThat(off.vmid()).isEqualTo(scheduled.vmid);
        assertThat(off.type()).isEqualTo(ExitType.PLATFORM_OFF.ordinal());
        VmExited reset = exit();
        assertThat(reset.vmid()).isEqualTo(proxy.vmid);
        assertThat(reset.type()).isEqualTo(ExitType.PSCI_SYSTEM_RESET2.ordinal());
        assertThat(reset.reason()).hasSize(16);
        assertThat(new WireReader(reset.reason()).skip(4).u32()).as("reset type").isEqualTo(7);
        assertThat(stopped.get(60, TimeUnit.SECONDS)[1]).as("its reset, or that it was killed since")
                .isIn(PSCI_RESET, POWERED_OFF);
        long last = count(scheduled);
        for (Guest guest : List.of(proxy, scheduled)) {
            assertNews(guest.vmid);
            host.ok(MessageId.VM_RESET, new VmRequest(guest.vmid));
            host.awaitState(guest.vmid, VmState.RESET);
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(guest.image, 0));
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(guest.page, 0));
            host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
        }
        assertThat(count(scheduled)).as("nothing runs after VM_EXITED").isEqualTo(last);
    }

    // Every state in its order, and the exit after the state EXITED and before anything else about the VM.
    private void assertNews(int vmid) {
        List<String> news = host.told().stream()
                .filter(m -> new WireReader(m.payload()).u16() == vmid)
                .map(m -> m.messageId() == MessageId.VM_STATUS.id()
                        ? VmState.of(VmStatus.decode(m.payload()).state()).name() : MessageId.VM_EXITED.name()).toList();
        assertThat(news).containsExactly("INIT", "READY", "RUNNING", "EXITED", "VM_EXITED");
    }
}
