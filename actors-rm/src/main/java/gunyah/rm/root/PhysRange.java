package gunyah.rm.root;

/**
 * Physically contiguous bytes {@code base .. base + size - 1}.
 *
 * @param base physical address
 * @param size bytes
 */
public record PhysRange(long base, long size) {
    public static final int PAGE = 4096;

    public long end() {
        return base + size;
    }
}
