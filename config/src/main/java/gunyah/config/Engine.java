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
    TRANSLATE;

    /**
     * {@return the engine that settings and options call so}
     *
     * @throws BadInput that says what would be right, to be put behind the name of the setting
     */
    public static Engine of(String name) {
        return switch (name) {
            case "auto" -> AUTO;
            case "interpret" -> INTERPRET;
            case "lockstep" -> LOCKSTEP;
            case "translate" -> TRANSLATE;
            default -> throw new BadInput("must be auto, interpret, lockstep or translate, not '%s'".formatted(name));
        };
    }
}
