package gunyah.hyp.vic;

/** GICD_STATUSR and GICR_STATUSR: which accesses made no sense; writing ones forgets. Guarded by the controller's lock. */
final class AccessStatus {
    /** Read of a place without a register. */
    static final int READ_RESERVED = 1;
    static final int WRITE_RESERVED = 1 << 1;
    static final int READ_OF_WRITE_ONLY = 1 << 2;
    static final int WRITE_OF_READ_ONLY = 1 << 3;

    private int bits;

    int bits() {
        return bits;
    }

    void note(int bit) {
        bits |= bit;
    }

    void forget(int ones) {
        bits &= ~ones;
    }
}
