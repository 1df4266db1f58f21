package gunyah.hyp;

/** Life-cycle state a hypercall demands of an object (Gunyah hyp/core/cspace, look-up variants). */
public enum RequiredState {
    INIT, ACTIVE, ANY;

    /** {@return whether an object in {@code state} will do} */
    public boolean admits(KernelObject.State state) {
        return switch (this) {
            case INIT -> state == KernelObject.State.INIT;
            case ACTIVE -> state == KernelObject.State.ACTIVE;
            case ANY -> state != KernelObject.State.DESTROYED;
        };
    }
}
