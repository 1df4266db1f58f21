package gunyah.arm64.translate;

/** Has a say each time a CPU is about to run a region. That CPU's thread only. */
@FunctionalInterface
public interface RegionGate {
    /**
     * {@return the retired count that the region must not pass: {@code end} when it may run freely, anything that
     * leaves no room for {@link Region#stride} when the code is to be interpreted} The PC is an entry of the region.
     *
     * @param end retired count at which the CPU's budget ends
     */
    long limit(Region region, long end);

    /** The region was left, and no other follows at once; not called when an instruction left by exception. */
    default void left() {
    }
}
