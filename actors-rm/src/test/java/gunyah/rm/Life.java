package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.rm.RealHost.Ended;
import gunyah.rm.RealHost.Refused;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * One life of a few VMs: who takes part, what was made, and how all of it ends whatever went wrong on the way. Belongs
 * to one thread of the test.
 */
final class Life {
    private static final Duration LIMIT = Duration.ofSeconds(RealHost.LIMIT_SECONDS);

    final RealHost host;
    private final List<Agent> agents = new ArrayList<>();
    private final List<PagedGuest> paged = new ArrayList<>();
    private final List<Integer> parcels = new ArrayList<>();
    private final List<String> refusals = new ArrayList<>();

    Life(RealHost host) {
        this.host = host;
    }

    /** What was refused, in order. */
    List<String> refusals() {
        return refusals;
    }

    /** {@return whether a step was done: all that it asks for was answered OK} */
    boolean tries(Runnable step) {
        try {
            step.run();
            return true;
        } catch (Refused | Ended stopped) {
            refusals.add(stopped.getMessage());
            return false;
        }
    }

    Agent agent(Supplier<Agent> made) {
        agents.add(made.get());
        return agents.getLast();
    }

    PagedGuest paged() {
        paged.add(new PagedGuest(host));
        return paged.getLast();
    }

    /** Makes a parcel of the primary VM's memory. {@return its handle} */
    int parcel(MessageId id, int flags, int label, List<AclEntry> acl, MemRange... ranges) {
        int handle = new WireReader(
                host.ok(id, new ParcelCreate(0, flags, label, acl, List.of(ranges), List.of()))).u32();
        parcels.add(handle);
        return handle;
    }

    /** A VM's own request, which must succeed. {@return the reply's body} */
    static WireReader ok(Agent vm, MessageId id, Payload payload) {
        var reply = vm.request(id, payload);
        if (reply.code() != 0) {
            throw new Refused(id, reply.error().orElseThrow());
        }
        return new WireReader(reply.body());
    }

    /** Accepts a parcel anywhere. {@return where the VM has its first region} */
    static long accept(Agent vm, int handle, ParcelTransfer transfer) {
        return ok(vm, MessageId.MEM_ACCEPT, acceptance(handle, transfer, List.of())).skip(4).u64();
    }

    static ParcelAccept acceptance(int handle, ParcelTransfer transfer, List<MemRange> ranges) {
        return new ParcelAccept(handle, 0, transfer.ordinal(), ParcelAccept.DONE, 5, List.of(), ranges, 0, List.of());
    }

    /** Lets a VM that runs do a little of everything. */
    static void use(Agent vm) {
        assertThat(vm.load(Agent.IMAGE_IPA)).isPresent();
        assertThat(vm.store(Agent.PAGE_IPA + 0x800, vm.vmid)).isTrue();
        assertThat(ok(vm, MessageId.VM_GET_VMID, () -> new byte[0]).u32()).isEqualTo(vm.vmid);
    }

    /**
     * Ends everything: a VM that runs works and is stopped, one that does not was reported; all are reset, all parcels
     * come back, all VMIDs go.
     */
    void end() {
        // The Resource Manager has done all that it had to do before it answers this.
        host.ok(MessageId.VM_GET_VMID, () -> new byte[0]);
        agents.forEach(this::stop);
        paged.forEach(this::stop);
        agents.forEach(vm -> reset(vm.vmid));
        paged.forEach(vm -> reset(vm.vmid));
        agents.forEach(vm -> vm.handles().forEach(this::reclaim));
        paged.forEach(vm -> reclaim(vm.handle()));
        parcels.forEach(this::reclaim);
        agents.forEach(vm -> deallocate(vm.vmid));
        paged.forEach(vm -> deallocate(vm.vmid));
    }

    private boolean ran(int vmid) {
        return host.exit(vmid).isPresent() || host.state(vmid) == VmState.RUNNING;
    }

    private void stop(Agent vm) {
        if (ran(vm.vmid)) {
            if (host.exit(vm.vmid).isEmpty()) {
                tries(() -> use(vm));
            }
            stop(vm.vmid);
        }
    }

    private void stop(PagedGuest vm) {
        if (ran(vm.vmid)) {
            stop(vm.vmid);
        }
    }

    private void stop(int vmid) {
        RmError error = host.error(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
        // VM_STATE: it ends or has ended by itself; VMID_INVALID: all that is over.
        assertThat(error).as("STOP of VM %d", vmid).isIn(RmError.OK, RmError.VM_STATE, RmError.VMID_INVALID);
        await("VM_EXITED of VM " + vmid).atMost(LIMIT).until(() -> host.exit(vmid).isPresent());
    }

    private void reset(int vmid) {
        if (host.state(vmid) == VmState.INIT) {
            host.request(MessageId.VM_INIT, new VmRequest(vmid));
        }
        if (host.state(vmid) == VmState.LOAD) {
            return;
        }
        RmError error = host.error(MessageId.VM_RESET, new VmRequest(vmid));
        assertThat(error).as("RESET of VM %d, %s", vmid, host.state(vmid))
                .isIn(RmError.OK, RmError.VM_STATE, RmError.VMID_INVALID);
        await("RESET of VM " + vmid).atMost(LIMIT).until(() -> host.state(vmid) == VmState.RESET);
    }

    private void reclaim(int handle) {
        RmError error = handle < 0 ? RmError.OK : host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        assertThat(error).as("RECLAIM of %d", handle).isIn(RmError.OK, RmError.HANDLE_INVALID);
    }

    private void deallocate(int vmid) {
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, new VmRequest(vmid))).as("DEALLOC of VM %d", vmid)
                .isIn(RmError.OK, RmError.VMID_INVALID);
    }
}
