package gunyah.hyp;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** The hypercall port of a VM whose vCPUs run Java: the same table and checks as a guest's, its memory by IPA. */
public class PortOfVm implements HypercallPort {
    private final HypercallTable table;
    private final Smccc smccc;
    private final Addrspace addrspace;
    private final Consumer<IntConsumer> interrupts;
    private final JavaCaller caller;

    /** @param interrupts where {@link #onInterrupt} registers the VM's handler */
    public PortOfVm(HypercallTable table, Smccc smccc, CSpace cspace, Addrspace addrspace,
            Consumer<IntConsumer> interrupts) {
        this.table = table;
        this.smccc = smccc;
        this.addrspace = addrspace;
        this.interrupts = interrupts;
        this.caller = new JavaCaller(cspace, addrspace, null);
    }

    /** {@return who the calling thread is to the hypervisor} */
    protected Caller caller() {
        return caller;
    }

    @Override
    public final void call(int number, long[] x) {
        table.call(caller(), number, x);
    }

    @Override
    public final void smccc(long[] x) {
        smccc.call(caller(), x);
    }

    @Override
    public final void read(long ipa, byte[] target, int offset, int length) {
        addrspace.view().read(ipa, target, offset, length);
    }

    @Override
    public final void write(long ipa, byte[] source, int offset, int length) {
        addrspace.view().write(ipa, source, offset, length);
    }

    @Override
    public final void onInterrupt(IntConsumer handler) {
        interrupts.accept(handler);
    }
}
