package gunyah.hyp.vic;

/**
 * Maps the index of a vCPU in its VIC to its affinity (vgic_set_mpidr_mapping): affinity field k is {@code index >>
 * shift_k} masked with byte k of {@code mask}.
 *
 * @param mask        four 8-bit masks, Aff0 lowest
 * @param shifts      index shifts for Aff0..Aff3, one byte each, Aff0 lowest
 * @param multiThread MPIDR.MT
 */
record MpidrMapping(int mask, int shifts, boolean multiThread) {
    /** Index = Aff0, above 255 Aff1. */
    static final MpidrMapping LINEAR = new MpidrMapping(0x7FFF, 0x1810_0800, false);

    private static final long RES1 = 1L << 31;
    private static final long MT = 1L << 24;

    /** {@return Aff3:Aff2:Aff1:Aff0, one byte each} */
    int affinity(int index) {
        int affinity = 0;
        for (int bit = 0; bit < 32; bit += 8) {
            int shift = shifts >>> bit & 0xFF;
            int field = shift > 31 ? 0 : index >>> shift & mask >>> bit & 0xFF;
            affinity |= field << bit;
        }
        return affinity;
    }

    /** {@return the affinity fields where MPIDR_EL1 has them} */
    long affinityBits(int index) {
        int affinity = affinity(index);
        return affinity & 0xFF_FFFFL | (affinity & 0xFF00_0000L) << 8;
    }

    /** {@return MPIDR_EL1} */
    long mpidr(int index) {
        return RES1 | (multiThread ? MT : 0) | affinityBits(index);
    }
}
