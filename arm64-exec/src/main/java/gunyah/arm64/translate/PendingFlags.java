package gunyah.arm64.translate;

import gunyah.arm64.semantics.Flags;
import gunyah.arm64.state.CpuState;

/**
 * Flags that a region has not computed yet: which instruction made them (the kind) and its two operands. Most flags are
 * overwritten before anybody looks at all four, so only the question asked is answered.
 */
public final class PendingFlags {
    /** Computed: NZCV itself. */
    static final int NZCV = 0;
    /** a + b, 64 bits. */
    static final int ADD_64 = 1;
    /** Low words of a + b. */
    static final int ADD_32 = 2;
    /** a - b, 64 bits. */
    static final int SUB_64 = 3;
    /** Low words of a - b. */
    static final int SUB_32 = 4;
    /** Result a of a logical instruction, 64 bits. */
    static final int LOGICAL_64 = 5;
    /** Low word of a. */
    static final int LOGICAL_32 = 6;
    /** Comparison of the doubles whose bits are a and b. */
    static final int FP = 8;
    /** a + b + carry, 64 bits; the carry stands in the place of NZCV. */
    static final int ADC_64 = 9;
    /** Compile time only: differs by the way that was taken. */
    static final int UNKNOWN = 7;

    private PendingFlags() {
    }

    /**
     * {@return NZCV} For generated code.
     *
     * @param nzcv NZCV, or the carry that was added, when the kind says so
     */
    public static int nzcv(int kind, int nzcv, long a, long b) {
        return switch (kind) {
            case ADD_64 -> Flags.add64(a, b, a + b);
            case ADD_32 -> Flags.add32((int) a, (int) b, (int) a + (int) b);
            case SUB_64 -> Flags.sub64(a, b, a - b);
            case SUB_32 -> Flags.sub32((int) a, (int) b, (int) a - (int) b);
            case LOGICAL_64 -> Flags.logical64(a);
            case LOGICAL_32 -> Flags.logical32((int) a);
            case ADC_64 -> Flags.adc64(a, b, a + b + nzcv);
            case FP -> compared(Double.longBitsToDouble(a), Double.longBitsToDouble(b));
            default -> nzcv;
        };
    }

    /** {@return NZCV of a floating-point comparison} For generated code. */
    public static int compared(double a, double b) {
        return a == b ? CpuState.Z | CpuState.C : a < b ? CpuState.N : a > b ? CpuState.C : CpuState.C | CpuState.V;
    }
}
