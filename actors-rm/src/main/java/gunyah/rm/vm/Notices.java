package gunyah.rm.vm;

import gunyah.rm.link.Outbox;
import gunyah.rm.link.RpcLink;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import java.util.function.Consumer;

/** Moves VMs from state to state and tells who must know: VM_STATUS to all peers, VM_EXITED, parcel news. */
public final class Notices {
    private final VmTable vms;
    private final Outbox outbox;
    private final RmTrace trace;
    private int sequence;

    public Notices(VmTable vms, Outbox outbox, RmTrace trace) {
        this.vms = vms;
        this.outbox = outbox;
        this.trace = trace;
    }

    /** Makes a move and sends VM_STATUS. Throws IllegalStateException for a move the graph does not have. */
    void move(Vm vm, VmState next) {
        if (!vm.state.mayBecome(next)) {
            throw new IllegalStateException("VM %d cannot go from %s to %s".formatted(vm.vmid, vm.state, next));
        }
        vm.state = next;
        trace.state(vm.vmid, next);
        status(vm);
    }

    /**
     * Takes a step of a VM's configuration. When it fails the VM is in INIT_FAILED, and its peers hear of it before the
     * reply.
     */
    Reply orFailed(Vm vm, Consumer<Vm> step) {
        try {
            step.accept(vm);
            return Reply.of(RmError.OK);
        } catch (RmFault | HypFault fault) {
            move(vm, VmState.INIT_FAILED);
            throw fault;
        }
    }

    /** Sends VM_STATUS to the VM's peers, of which its owner is one, as long as they run. */
    void status(Vm vm) {
        VmStatus status = new VmStatus(vm.vmid, vm.state.value(), vm.osState, vm.appStatus);
        vm.peers.forEach(peer -> tell(peer, MessageId.VM_STATUS, status, vm.state != VmState.RESET));
    }

    /** Sends VM_EXITED to the owner. */
    void exited(Vm vm, VmExited exit) {
        tell(vm.ownerVmid, MessageId.VM_EXITED, exit, false);
    }

    /** Sends a notification to a VM that has a link and runs; others miss it. */
    public void tell(int vmid, MessageId id, Payload payload, boolean droppable) {
        if (!vms.contains(vmid)) {
            return;
        }
        Vm vm = vms.find(vmid, null);
        if (vm.state == VmState.RUNNING && vm.link.isPresent()) {
            trace.notified(vmid, id);
            RpcLink link = vm.link.get();
            link.notify(id, payload, sequence++ & 0xffff, droppable);
            outbox.add(link);
        }
    }
}
