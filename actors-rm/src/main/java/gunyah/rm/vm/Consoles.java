package gunyah.rm.vm;

import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.ConsoleText;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmRequest;

/**
 * The console requests. A VM has a console if its link to the Resource Manager says so; the primary VM's is the machine's,
 * whose other end is always open.
 */
public final class Consoles {
    private final Notices notices;
    private final RmTrace trace;

    public Consoles(Notices notices, RmTrace trace) {
        this.notices = notices;
        this.trace = trace;
    }

    /** CONSOLE_OPEN. */
    public Reply open(Call<VmRequest> call) {
        return set(call, true);
    }

    /** CONSOLE_CLOSE. */
    public Reply close(Call<VmRequest> call) {
        return set(call, false);
    }

    private Reply set(Call<VmRequest> call, boolean open) {
        Console console = console(call);
        if (call.caller() == call.target()) {
            console.openAtVm = open;
        } else {
            console.openAtOwner = open;
        }
        return Reply.of(RmError.OK);
    }

    /** CONSOLE_FLUSH: nothing is buffered. */
    public Reply flush(Call<VmRequest> call) {
        console(call);
        return Reply.of(RmError.OK);
    }

    /** CONSOLE_WRITE. */
    public Reply write(Call<ConsoleText> call) {
        Console console = console(call);
        Vm vm = call.target();
        boolean vmWrites = call.caller() == vm;
        if (!(vmWrites ? console.openAtVm : console.openAtOwner)) {
            throw new RmFault(RmError.DENIED);
        }
        byte[] text = call.request().text();
        if (vmWrites && vm.ownerVmid == Vm.RM) {
            trace.console(vm.vmid, text);
        } else if (vmWrites && console.openAtOwner) {
            notices.tell(vm.ownerVmid, MessageId.CONSOLE_CHARS, new ConsoleText(vm.vmid, text), true);
        } else if (!vmWrites && console.openAtVm) {
            notices.tell(vm.vmid, MessageId.CONSOLE_CHARS, new ConsoleText(0, text), true);
        }
        return Reply.of(RmError.OK);
    }

    private static Console console(Call<?> call) {
        return call.target().console.orElseThrow(() -> new RmFault(RmError.ARGUMENT_INVALID));
    }
}
