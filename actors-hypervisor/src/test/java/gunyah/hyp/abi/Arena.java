package gunyah.hyp.abi;

/**
 * What one script owns, so that several may run at once: capabilities in the guest's cspace, and places. A place is a
 * number of the script's own in a range for all.
 *
 * @param index     of the script
 * @param partition the root partition
 * @param cspace    the guest's own
 * @param addrspace the guest's own
 * @param vcpu      the vCPU that executes the script
 * @param extent    SPARSE, RWX, owns its {@link #PAGES} pages; each begins with {@link #word}, and the page
 *                  {@link #INNER} holds the inner guest
 * @param extentPa  its first physical address
 * @param hwirq     a hardware interrupt, and another
 * @param foreign   a capability id of another cspace
 * @param deleted   the id of an empty slot
 */
record Arena(int index, long partition, long cspace, long addrspace, long vcpu, long extent, long extentPa,
        long hwirq, long otherHwirq, long foreign, long deleted) {
    static final long RAM = 0x4000_0000L;
    static final int PAGES = 256;
    static final long PAGE = 0x1000;
    static final long INNER = 0x8_0000;
    /** Mapped for reading only. */
    static final long READ_ONLY = 0x5000_0000L;
    /** Stage 1 maps it, stage 2 does not. */
    static final long UNMAPPED = 0x5800_0000L;
    /** Stage 1 does not map it. */
    static final long NO_STAGE_1 = 0x9000_0000L;

    /** {@return address of two pages of memory} */
    long buffer() {
        return RAM + 0x6_0000 + 2 * PAGE * index;
    }

    /** {@return address where the script maps things, 16 MiB} */
    long window() {
        return 0x6000_0000L + 0x100_0000L * index;
    }

    /** {@return address where the script puts devices, 16 MiB} */
    long devices() {
        return 0x1000_0000L + 0x100_0000L * index;
    }

    /** {@return one of 16 VMIDs} */
    long vmid(int number) {
        return 200 + 16L * index + number;
    }

    /** {@return the first 64 bits of a page of {@link #extent} in the beginning} */
    long word(long offset) {
        return word(index, offset);
    }

    static long word(int index, long offset) {
        return 0xA1B2_0000_0000_0000L | (long) index << 32 | offset;
    }
}
