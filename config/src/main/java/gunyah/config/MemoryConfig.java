package gunyah.config;

/**
 * How a guest gets its RAM.
 *
 * @param isProtected  true: it is lent, the host cannot reach it; false: shared, the host and its devices reach all
 * @param preallocated true: all of it is there, and mapped, before the guest's first instruction; false: what the guest
 *     touches
 * @param hugePages    whether it comes in blocks of 2 MiB
 */
public record MemoryConfig(boolean isProtected, boolean preallocated, boolean hugePages) {
    /** Lent, when touched, in 4 KiB pages. */
    public static final MemoryConfig PROTECTED = new MemoryConfig(true, false, false);

    /** {@return the size in which it comes, bytes} */
    public long granule() {
        return hugePages ? 2L << 20 : 4096;
    }

    static boolean preallocated(String text) {
        return switch (text) {
            case "lazy" -> false;
            case "prealloc" -> true;
            default -> throw new BadInput("must be lazy or prealloc, not '%s'".formatted(text));
        };
    }
}
