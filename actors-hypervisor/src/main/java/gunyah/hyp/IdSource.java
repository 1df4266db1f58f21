package gunyah.hyp;

import java.util.concurrent.atomic.AtomicInteger;

/** Object ids of one hypervisor, never used twice. Ids below {@link #FIRST} are reserved as frame owners. */
public final class IdSource {
    /** Frames that nobody owns: not backed, or the hypervisor's own. */
    public static final int HYPERVISOR = 0;
    /** Frames between two owners: unmapped, waiting for the vCPUs that may still hold translations. */
    public static final int IN_TRANSIT = 1;
    /** The first id of an object. */
    public static final int FIRST = 16;

    private final AtomicInteger next = new AtomicInteger(FIRST);

    /** {@return a new id} */
    public int next() {
        return next.getAndIncrement();
    }
}
