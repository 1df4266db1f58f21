package gunyah.arm64.mmu;

/**
 * Which data accesses are to be told before they are done. Pages that hold such bytes take the slow path of every
 * access, all others are as fast as without. Asked by the vCPU's thread.
 */
public interface Watchpoints {
    /** {@link #hit}: go on. No address that an access could have. */
    long NONE_HIT = Long.MIN_VALUE;

    /** Watches nothing. */
    Watchpoints NONE = new Watchpoints() {
        @Override
        public boolean coverPage(long va) {
            return false;
        }

        @Override
        public long hit(long va, int size, boolean write, boolean el0) {
            return NONE_HIT;
        }
    };

    /** {@return whether some watched byte lies in the 4 KiB page of {@code va}} */
    boolean coverPage(long va);

    /**
     * Asks about an access that is allowed otherwise.
     *
     * @param va   first byte
     * @param size bytes, all in one page
     * @param el0  it is done with EL0's rights
     * @return the first watched byte when the access is to raise a watchpoint exception now, else {@link #NONE_HIT}
     */
    long hit(long va, int size, boolean write, boolean el0);
}
