package gunyah.arm64.translate;

import gunyah.arm64.state.CpuState;

/** The local variables of a region's {@code run} method. */
final class Locals {
    static final int THIS = 0;
    static final int CPU = 1;
    static final int PAGE_VA = 2;
    static final int SLOT = 4;
    static final int LIMIT = 5;
    static final int STATE = 7;
    static final int X = 8;
    static final int MMU = 9;
    static final int CONTROL = 10;
    /** Retired instructions at the start of the current block. */
    static final int RETIRED = 11;
    /** Slot of the instruction that may fault, for the handler. */
    static final int AT = 13;
    /** Kind of the pending flags, for the handler and for merges: see {@link PendingFlags}. */
    static final int FLAG_KIND = 14;
    /** NZCV, or the carry that was added, when the kind says so. */
    static final int NZCV = 15;
    static final int FLAG_A = 16;
    static final int FLAG_B = 18;
    static final int TEMP_1 = 20;
    static final int TEMP_2 = 22;
    static final int TEMP_3 = 24;
    /** Array of the TLB bank of ordinary accesses. */
    static final int TLB = 26;
    /** Long array of the vector registers. */
    static final int V = 28;
    /** Whether floating point is in its usual mode: see {@link gunyah.arm64.fp.UsualFp}. */
    static final int USUAL = 29;
    static final int TEMP_4 = 30;
    /** Sum that the pending flags are of, of kind {@link PendingFlags#ADC_64}. */
    static final int FLAG_SUM = 32;
    private static final int FIRST_REGISTER = 34;
    private static final int FIRST_VECTOR = FIRST_REGISTER + 64;
    private static final int FIRST_HOST = FIRST_VECTOR + 128;

    private Locals() {
    }

    /** {@return the local of general register 0..30 or of the stack pointer, 31} */
    static int register(int index) {
        if (index > CpuState.SP) {
            throw new IllegalArgumentException("register " + index + " has no local");
        }
        return FIRST_REGISTER + 2 * index;
    }

    /** {@return the local of bits 63:0 of vector register 0..31} */
    static int low(int index) {
        return FIRST_VECTOR + 4 * index;
    }

    /** {@return the local of bits 127:64 of vector register 0..31} */
    static int high(int index) {
        return FIRST_VECTOR + 4 * index + 2;
    }

    /** {@return the local of the host address that a group of accesses shares: see {@link SharedLooks}} */
    static int host(int group) {
        return FIRST_HOST + 2 * group;
    }
}
