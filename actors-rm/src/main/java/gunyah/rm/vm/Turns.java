package gunyah.rm.vm;

/** How long work is cut into turns of the Resource Manager's actor. */
public interface Turns {
    /** Runs {@code step} in a turn of its own, after what is already waiting. */
    void next(Runnable step);

    /** Runs {@code step} in a turn of its own, a short nap (2 ms) from now. */
    void later(Runnable step);
}
