package gunyah.rm;

/** A kind of life of VMs, lived again and again. */
interface Scene {
    /** What must be there before. */
    default void prepare(Life life) {
        // Nothing.
    }

    /** What happens while something may fail; every step is tried, whatever became of those before. */
    void act(Life life);
}
