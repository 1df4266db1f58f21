package gunyah.arm64.semantics;

import gunyah.arm64.state.CpuState;

/** Condition flags as results of arithmetic, in NZCV layout (bits 31:28), and the conditions over them (C1.2.4). */
public final class Flags {
    private static final int[] HOLDS = new int[16];

    static {
        for (int condition = 0; condition < 16; condition++) {
            for (int nzcv = 0; nzcv < 16; nzcv++) {
                if (evaluate(condition, nzcv)) {
                    HOLDS[condition] |= 1 << nzcv;
                }
            }
        }
    }

    private Flags() {
    }

    private static boolean evaluate(int condition, int nzcv) {
        boolean n = (nzcv & 8) != 0;
        boolean z = (nzcv & 4) != 0;
        boolean c = (nzcv & 2) != 0;
        boolean v = (nzcv & 1) != 0;
        boolean holds = switch (condition >>> 1) {
            case 0 -> z;
            case 1 -> c;
            case 2 -> n;
            case 3 -> v;
            case 4 -> c && !z;
            case 5 -> n == v;
            case 6 -> n == v && !z;
            default -> true;
        };
        return (condition & 1) != 0 && condition != 15 ? !holds : holds;
    }

    /** {@return the set of NZCV values, as 16 bits, for which {@code condition} (0..15) holds} */
    public static int set(int condition) {
        return HOLDS[condition];
    }

    /** {@return whether a condition {@linkplain #set set} contains the flags} */
    public static boolean holds(int set, int nzcv) {
        return (set >>> (nzcv >>> 28) & 1) != 0;
    }

    /** {@return NZCV of a logical result} */
    public static int logical64(long result) {
        return (int) (result >>> 32) & CpuState.N | (result == 0 ? CpuState.Z : 0);
    }

    /** {@return NZCV of a logical result} */
    public static int logical32(int result) {
        return result & CpuState.N | (result == 0 ? CpuState.Z : 0);
    }

    /** {@return NZCV of {@code result = left + right}} */
    public static int add64(long left, long right, long result) {
        return (int) (result >>> 32) & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | (result + Long.MIN_VALUE < left + Long.MIN_VALUE ? CpuState.C : 0)
                | (int) (((left ^ result) & (right ^ result)) >>> 63) << 28;
    }

    /** {@return NZCV of {@code result = left - right}} */
    public static int sub64(long left, long right, long result) {
        return (int) (result >>> 32) & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | (left + Long.MIN_VALUE >= right + Long.MIN_VALUE ? CpuState.C : 0)
                | (int) (((left ^ right) & (left ^ result)) >>> 63) << 28;
    }

    /** {@return NZCV of {@code result = left + right}} */
    public static int add32(int left, int right, int result) {
        return result & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | (result + Integer.MIN_VALUE < left + Integer.MIN_VALUE ? CpuState.C : 0)
                | ((left ^ result) & (right ^ result)) >>> 31 << 28;
    }

    /** {@return NZCV of {@code result = left - right}} */
    public static int sub32(int left, int right, int result) {
        return result & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | (left + Integer.MIN_VALUE >= right + Integer.MIN_VALUE ? CpuState.C : 0)
                | ((left ^ right) & (left ^ result)) >>> 31 << 28;
    }

    /** {@return C of {@code left + right} as 0 or 1, without a branch} */
    public static long addCarry64(long left, long right) {
        return (left & right | (left | right) & ~(left + right)) >>> 63;
    }

    /** {@return C of {@code left - right} as 0 or 1, without a branch} */
    public static long subCarry64(long left, long right) {
        return (left & ~right | (left | ~right) & ~(left - right)) >>> 63;
    }

    /** {@return C of {@code result = left + right + carry} as 0 or 1, carry 0 or 1, without a branch} */
    public static long adcCarry64(long left, long right, long result) {
        return (left & right | (left | right) & ~result) >>> 63;
    }

    /** {@return NZCV of {@code result = left + right + carry}, carry 0 or 1} */
    public static int adc64(long left, long right, long result) {
        return (int) (result >>> 32) & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | (int) adcCarry64(left, right, result) << 29 | (int) (((left ^ result) & (right ^ result)) >>> 63) << 28;
    }

    /** {@return NZCV of {@code result = left + right + carry}, carry 0 or 1} */
    public static int adc32(int left, int right, int result) {
        int carries = left & right | (left | right) & ~result;
        return result & CpuState.N | (result == 0 ? CpuState.Z : 0)
                | carries >>> 31 << 29 | ((left ^ result) & (right ^ result)) >>> 31 << 28;
    }
}
