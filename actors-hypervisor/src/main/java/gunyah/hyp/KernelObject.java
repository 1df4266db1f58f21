package gunyah.hyp;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Base of every first-class object: identity, life-cycle state and reference count (Gunyah hyp/core/object_standard).
 * An object is made INIT, becomes ACTIVE once, and is destroyed when its last reference (capabilities included) goes.
 * The methods here are thread safe; what an object guards beyond that is its own business.
 */
public abstract non-sealed class KernelObject implements CapResult {
    /** Life-cycle states. */
    public enum State { INIT, ACTIVE, DESTROYED }

    private static final int GONE = Integer.MIN_VALUE;

    private final ObjectType type;
    private final int id;
    private final AtomicInteger references = new AtomicInteger();
    private volatile State state = State.INIT;
    private volatile ObjectRegistry registry;
    private volatile String defect = "";

    /**
     * @param type the object's type
     * @param id   unique in the hypervisor, also the owner id of frames in the ownership database; not 0
     */
    protected KernelObject(ObjectType type, int id) {
        this.type = type;
        this.id = id;
    }

    public final ObjectType type() {
        return type;
    }

    public final int id() {
        return id;
    }

    public final State state() {
        return state;
    }

    /** Makes the object ACTIVE. {@return OK, OBJECT_STATE when it is not INIT, or what {@link #onActivate} says} */
    public final synchronized HypError activate() {
        if (state != State.INIT) {
            return HypError.OBJECT_STATE;
        }
        HypError error = onActivate();
        if (error == HypError.OK) {
            state = State.ACTIVE;
        }
        return error;
    }

    /** Takes a reference. {@return false when the object is already gone} Lock free. */
    public final boolean retain() {
        int now;
        do {
            now = references.get();
            if (now == GONE) {
                return false;
            }
        } while (!references.compareAndSet(now, now + 1));
        return true;
    }

    /** Gives a reference back; the last one destroys the object, on this thread. */
    public final void release() {
        int now;
        int left;
        do {
            now = references.get();
            left = now == 1 ? GONE : now - 1;
        } while (!references.compareAndSet(now, left));
        if (left == GONE) {
            state = State.DESTROYED;
            onDestroy();
            ObjectRegistry listed = registry;
            if (listed != null) {
                listed.remove(this);
            }
        }
    }

    /**
     * The object's actor failed: it is out of use, and the VMs that use it end. In the actor's turn, once.
     *
     * @param reason for people
     */
    public final void broke(String reason) {
        defect = reason;
        onBroken();
        ObjectRegistry listed = registry;
        if (listed != null) {
            listed.broke(this, reason);
        }
    }

    /** {@return why its actor failed, empty when it did not} Any thread. */
    public final String defect() {
        return defect;
    }

    /** {@return whether its actor failed} Any thread. */
    public final boolean isBroken() {
        return !defect.isEmpty();
    }

    void registeredIn(ObjectRegistry newRegistry) {
        registry = newRegistry;
    }

    /**
     * {@return the object's state now} Exact when nobody changes it meanwhile. May ask the object's actor, so not in an
     * object actor's turn.
     */
    public final ObjectState describeState() {
        StateText text = new StateText();
        describe(text);
        if (isBroken()) {
            text.put("defect", defect);
        }
        return new ObjectState(type, id, state, references.get() - passingReferences(), text.toString());
    }

    /** Notes the state that a client can observe or that decides what later calls answer. */
    protected abstract void describe(StateText text);

    /** Takes back what others must not reach through a broken object. In its actor's turn. */
    protected void onBroken() {
        // Most objects hold nothing that could be reached.
    }

    /** {@return whether one of its interrupt lines is bound to this controller} Any thread. */
    public boolean interrupts(VirqController controller) {
        return false;
    }

    /** {@return references that come and go without a call, which are no state} */
    protected int passingReferences() {
        return 0;
    }

    /** Checks the configuration and makes the object usable. Called once, in INIT. */
    protected abstract HypError onActivate();

    /** Gives everything back: memory, virqs, references. Called once, on the thread that dropped the last reference. */
    protected abstract void onDestroy();
}
