package gunyah.hyp.vic;

/**
 * A software generated interrupt as written to ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 (IHI 0069, 12.2).
 *
 * @param value  the register
 * @param group1 written to SGI1R; the others reach only interrupts that their target has in group 0
 */
record SgiRequest(long value, boolean group1) {
    private static final long IRM = 1L << 40;
    private static final int TARGET_LIST_BITS = 16;

    int intid() {
        return (int) (value >>> 24) & 15;
    }

    /** {@return whether it goes to a vCPU of this affinity (Aff3:Aff2:Aff1:Aff0), the sender or another} */
    boolean reaches(int affinity, boolean sender) {
        if ((value & IRM) != 0) {
            return !sender;
        }
        int aff0 = affinity & 15;
        return (affinity & -TARGET_LIST_BITS) == targetBase() && (value >>> aff0 & 1) != 0;
    }

    /** Aff3, Aff2, Aff1, and the range selector as the upper four bits of Aff0. */
    private int targetBase() {
        return (int) (value >>> 48 & 0xFF) << 24 | (int) (value >>> 32 & 0xFF) << 16
                | (int) (value >>> 16 & 0xFF) << 8 | (int) (value >>> 44 & 15) << 4;
    }
}
