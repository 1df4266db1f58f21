package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelRecall;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A guest that owns memory ends while others use it: they keep it until they release it, then it goes to the primary
 * VM, zeroed, as does at once what nobody uses; and everybody can be started again meanwhile.
 */
@Tag("guest")
class OwnerEndsTest {
    private static final int HOST = 3;
    private static final int RW = 6;
    private static final long LENT = 0x4300_0000L;
    private static final long SHARED = LENT + 0x1000;
    private static final long KEPT = LENT + 0x2000;
    private static final long VALUE = 0x1234_5678_9abc_def0L;

    private final RealHost host = new RealHost(4, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private long donated(Agent owner, long page) {
        host.port.write(page, new byte[0x1000], 0, 0x1000);
        int handle = create(MessageId.MEM_DONATE, page, new AclEntry(owner.vmid, 7));
        long ipa = Life.accept(owner, handle, ParcelTransfer.DONATE);
        assertThat(owner.store(ipa, VALUE)).isTrue();
        return ipa;
    }

    private int create(MessageId id, long page, AclEntry... acl) {
        return new WireReader(host.ok(id, parcel(page, acl))).u32();
    }

    private static ParcelCreate parcel(long page, AclEntry... acl) {
        return new ParcelCreate(0, 0, 5, List.of(acl), List.of(new MemRange(page, 0x1000)), List.of());
    }

    private void end(Agent vm) {
        host.ok(MessageId.VM_STOP, new StopRequest(vm.vmid, 1, 3));
        host.ok(MessageId.VM_RESET, new VmRequest(vm.vmid));
        host.awaitState(vm.vmid, VmState.RESET);
        vm.handles().forEach(own -> host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(own, 0)));
    }

    private void again(Agent vm) {
        host.forget();
        vm.start();
        vm.run();
    }

    @Test
    @Invariant({"M1", "M3", "M8", "S3"})
    void borrowersKeepWhatAnOwnerLeavesUntilTheyReleaseIt() {
        MachineState before = host.atRest();
        Agent owner = new Agent(host, Agent.tree("owner", 1), 0x4400_0000L);
        Agent borrower = new Agent(host, Agent.tree("borrower", 2), 0x4500_0000L);
        Agent named = new Agent(host, Agent.tree("named", 3), 0x4600_0000L);
        List<Agent> all = List.of(owner, borrower, named);
        all.forEach(this::again);
        int lent = Life.ok(owner, MessageId.MEM_LEND, parcel(donated(owner, LENT), new AclEntry(borrower.vmid, RW),
                new AclEntry(named.vmid, RW))).u32();
        int shared = Life.ok(owner, MessageId.MEM_SHARE, parcel(donated(owner, SHARED), new AclEntry(owner.vmid, RW),
                new AclEntry(HOST, RW))).u32();
        donated(owner, KEPT);
        long at = Life.accept(borrower, lent, ParcelTransfer.LEND);
        host.ok(MessageId.MEM_ACCEPT, Life.acceptance(shared, ParcelTransfer.SHARE, List.of()));

        end(owner);

        assertThat(ParcelRecall.decode(host.await(MessageId.MEM_RECALL, payload -> true).payload()))
                .isEqualTo(new ParcelRecall(shared, 0));
        assertThat(host.read(KEPT)).as("nobody used it").isZero();
        assertThat(host.read(SHARED)).isEqualTo(VALUE);
        assertThatThrownBy(() -> host.read(LENT)).isInstanceOf(ExternalAbort.class);
        assertThat(borrower.load(at)).contains(VALUE);
        assertThat(borrower.store(at, VALUE + 1)).isTrue();
        assertThat(named.error(MessageId.MEM_ACCEPT, Life.acceptance(lent, ParcelTransfer.LEND, List.of())))
                .isEqualTo(RmError.DENIED);
        end(named);
        again(named);
        again(owner);
        assertThat(owner.error(MessageId.MEM_RECLAIM, new ParcelReturn(lent, 0))).isEqualTo(RmError.MEM_INUSE);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(lent, 0))).isEqualTo(RmError.DENIED);
        assertThat(borrower.load(at)).contains(VALUE + 1);

        Life.ok(borrower, MessageId.MEM_RELEASE, new ParcelReturn(lent, 0));
        assertThat(borrower.load(at)).isEmpty();
        assertThat(host.read(LENT)).as("zeroed").isZero();
        host.ok(MessageId.MEM_RELEASE, new ParcelReturn(shared, 0));
        assertThat(host.read(SHARED)).as("zeroed").isZero();
        for (int handle : List.of(lent, shared)) {
            assertThat(owner.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0)))
                    .isEqualTo(RmError.HANDLE_INVALID);
        }
        all.forEach(this::end);
        all.forEach(vm -> host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(vm.vmid)));
        host.awaitSame(before, "what is left");
    }
}
