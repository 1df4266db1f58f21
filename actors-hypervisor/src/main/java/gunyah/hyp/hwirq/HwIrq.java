package gunyah.hyp.hwirq;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A hardware interrupt: who holds its BIND_VIC right decides to which VM's controller, and as which shared interrupt, it
 * goes (Gunyah hyp/core/irq, hyp/vm/vgic/src/distrib.c). There is no call that makes one: the hypervisor makes them all
 * at boot, active, and gives the root VM a capability to each.
 *
 * <p>While unbound it is disabled: nobody sees it, but an edge is remembered and a level is there when it is bound. Any
 * thread.
 */
public final class HwIrq extends KernelObject implements HardwareLine {
    /** First of the machine's hardware interrupts; the machine has those of the device slots of QEMU's virt. */
    public static final int FIRST = 48;
    /** How many the machine has. */
    public static final int COUNT = 32;

    private final int intid;
    private final Wire wire = new Wire();
    // an edge that no controller has taken yet; taken by exactly one of a raise and a bind that meet
    private final AtomicBoolean edge = new AtomicBoolean();

    /** The machine's end of the wire; its level decides whether an interrupt that was ended comes again. */
    private static final class Wire extends VirqSource {
        // written by the device, read by the controller after the interrupt was ended
        private volatile boolean high;

        @Override
        public boolean checkPending(boolean reasserted) {
            return reasserted || high;
        }
    }

    /** @param intid number at the machine's interrupt controller */
    public HwIrq(int id, int intid) {
        super(ObjectType.HWIRQ, id);
        this.intid = intid;
    }

    @Override
    public int intid() {
        return intid;
    }

    @Override
    public void raise() {
        wire.high = true;
        pulse();
    }

    @Override
    public void lower() {
        wire.high = false;
    }

    @Override
    public void pulse() {
        edge.set(true);
        passOn();
    }

    private void passOn() {
        if (wire.boundController() != null && edge.getAndSet(false)) {
            wire.assertVirq(!wire.high);
        }
    }

    /**
     * hwirq_bind_virq.
     *
     * @param virq virq_info, a shared interrupt
     * @return OK, VIRQ_BOUND, BUSY when the line is taken, ARGUMENT_INVALID for no shared interrupt of the controller
     */
    HypError bind(VirqController vic, int virq) {
        HypError error = vic.bind(wire, virq);
        if (error == HypError.OK) {
            if (wire.high) {
                edge.set(true);
            }
            passOn();
        }
        return error;
    }

    /** hwirq_unbind_virq. {@return OK, or VIRQ_NOT_BOUND} */
    HypError unbind() {
        VirqController vic = wire.boundController();
        if (vic == null) {
            return HypError.VIRQ_NOT_BOUND;
        }
        vic.unbind(wire);
        return HypError.OK;
    }

    @Override
    public boolean interrupts(VirqController controller) {
        return wire.boundController() == controller;
    }

    @Override
    protected void describe(StateText text) {
        text.put("intid", intid).put("wire", wire).put("high", wire.high).put("edge", edge.get());
    }

    @Override
    protected HypError onActivate() {
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        unbind();
    }
}
