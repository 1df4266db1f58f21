package gunyah.config;

/** How guest code is executed. */
public enum Engine {
    /** Interpreted, and translated to JVM code where it runs long enough to be worth it. */
    AUTO,
    /** Interpreted only. */
    INTERPRET,
    /** Translated early, and all that is translated is compared with what the interpreter does: slow, a proof. */
    LOCKSTEP,
    /** As {@link #AUTO}, but translated early: for long runs and benchmarks. */
    TRANSLATE
}
