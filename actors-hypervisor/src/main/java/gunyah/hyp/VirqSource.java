package gunyah.hyp;

/**
 * One interrupt line from a kernel object into a VM's virtual interrupt controller (Gunyah hyp/interfaces/virq). Bound
 * to at most one {@link VirqController} at a time. Level sources are deasserted lazily: the controller calls
 * {@link #checkPending} at end of interrupt. Thread safe.
 */
public abstract class VirqSource {
    private volatile VirqController controller;
    private volatile int virq;

    /** {@return whether the line is still asserted}; {@code reasserted} tells that a new edge came since delivery. */
    public abstract boolean checkPending(boolean reasserted);

    /** Asserts: the edge always, the level too unless {@code edgeOnly}. An unbound source ignores it. */
    public final void assertVirq(boolean edgeOnly) {
        VirqController target = controller;
        if (target != null) {
            target.assertSource(this, edgeOnly);
        }
    }

    /** Drops level and edge, best effort. */
    public final void clearVirq() {
        VirqController target = controller;
        if (target != null) {
            target.clearSource(this);
        }
    }

    /** {@return the INTID it is bound to, or -1} */
    public final int boundVirq() {
        return controller == null ? -1 : virq;
    }

    /** {@return the controller it is bound to, or null} */
    public final VirqController boundController() {
        return controller;
    }

    /** Called by the controller only, under its own lock. */
    public final void attach(VirqController newController, int newVirq) {
        virq = newVirq;
        controller = newController;
    }
}
