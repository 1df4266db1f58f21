package gunyah.rm.vm;

import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireWriter;

/** The requests that begin and end VMs: ALLOC_VMID, START, STOP, EXIT, RESET, DEALLOC_VMID (vm_mgnt.c). */
public final class VmLifecycle {
    private final VmTable vms;
    private final Notices notices;
    private final MemParcels parcels;
    private final VmStop stop;
    private final VmReset reset;
    private final GuestStart start;

    public VmLifecycle(VmTable vms, Notices notices, MemParcels parcels, VmStop stop, VmReset reset,
            GuestStart start) {
        this.vms = vms;
        this.notices = notices;
        this.parcels = parcels;
        this.stop = stop;
        this.reset = reset;
        this.start = start;
    }

    /** VM_ALLOC_VMID. */
    public Reply allocate(Call<VmRequest> call) {
        int wanted = call.request().vmid();
        Vm vm = vms.allocate(wanted, call.caller().vmid);
        return wanted == 0 ? Reply.ofWord(vm.vmid) : Reply.of(RmError.OK);
    }

    /**
     * VM_DEALLOC_VMID. Refused with MEM_INUSE while a parcel names the VM: a new VM of that id would inherit it. An owner
     * like the Linux v17 driver does not reset a VM whose configuration failed before INIT.
     */
    public Reply deallocate(Call<VmRequest> call) {
        if (call.target().objects.isPresent()) {
            throw new RmFault(RmError.VM_STATE);
        }
        if (parcels.involve(call.target().vmid)) {
            throw new RmFault(RmError.MEM_INUSE);
        }
        vms.remove(call.target());
        return Reply.of(RmError.OK);
    }

    /** VM_START. */
    public Reply start(Call<VmRequest> call) {
        return notices.orFailed(call.target(), vm -> {
            start.start(vm);
            notices.move(vm, VmState.RUNNING);
        });
    }

    /** VM_STOP. With FORCE the answer comes when no vCPU executes any more. */
    public void stop(Call<StopRequest> call) {
        Vm vm = call.target();
        if (!stop.canStop(vm) || vm.configured().noShutdown()) {
            throw new RmFault(RmError.VM_STATE);
        }
        if ((call.request().flags() & StopRequest.FORCE) == 0) {
            int reason = call.request().reason();
            notices.tell(vm.vmid, MessageId.VM_SHUTDOWN, () -> new WireWriter().u32(reason).toBytes(), true);
            call.answer().send(Reply.of(RmError.OK));
            return;
        }
        stop.exit(vm, VmExited.of(vm.vmid, ExitType.VM_STOP_FORCED, 0, 0),
                () -> call.answer().send(Reply.of(RmError.OK)));
    }

    /** VM_EXIT: a VM ends itself. */
    public void exit(Call<ExitRequest> call) {
        Vm vm = call.caller();
        if (!stop.canStop(vm) || vm.vmid == Vm.HLOS) {
            throw new RmFault(RmError.VM_STATE);
        }
        stop.exit(vm, VmExited.of(vm.vmid, ExitType.VM_EXIT, call.request().flags() & VmExited.RESTART,
                call.request().code()), () -> call.answer().send(Reply.of(RmError.OK)));
    }

    /** VM_RESET: answered at once, done in small steps; VM_STATUS(RESET) says when. */
    public Reply reset(Call<VmRequest> call) {
        Vm vm = call.target();
        if (vm.config.map(config -> config.noReset()).orElse(false)) {
            throw new RmFault(RmError.DENIED);
        }
        reset.begin(vm);
        return Reply.of(RmError.OK);
    }

    /**
     * A request about this VM met a defect of ours, and what it had done may be half of what was meant: the VM ends, with
     * a reason, and its owner can reset it.
     */
    public void giveUp(Vm vm) {
        if (vm.vmid == Vm.HLOS || vm.vmid == Vm.RM) {
            return;
        }
        if (stop.canStop(vm)) {
            stop.exit(vm, VmExited.of(vm.vmid, ExitType.SOFTWARE_ERROR, 0, VmStop.CODE_UNKNOWN), () -> { });
        } else if (vm.state.mayBecome(VmState.INIT_FAILED)) {
            notices.move(vm, VmState.INIT_FAILED);
            stop.stopVcpus(vm, () -> { });
        }
    }
}
