package gunyah.arm64.fp;

import gunyah.arm64.state.CpuState;

/**
 * Floating point in its usual mode, for translated code: rounding to nearest, no flushing of denormals, and FPSR.IXC set
 * already, so that inexactness, which the JVM does not report, changes nothing. Then the JVM's arithmetic gives result
 * and flags wherever the result rules out every other flag and every NaN; the methods here tell that by the operands and
 * the result, in the terms of one operation. All else is left to the semantics.
 */
public final class UsualFp {
    private static final int UNUSUAL = SoftFloat.FZ | 3 << 22;

    private UsualFp() {
    }

    /** {@return 1 when this is the mode now, else 0} */
    public static int isUsual(CpuState s) {
        return (s.fpcr & UNUSUAL) == 0 && (s.fpsr & SoftFloat.IXC) != 0 ? 1 : 0;
    }

    /** {@return whether a sum or difference set no flag but IXC} Such a result is exact where it is tiny. */
    public static boolean isSum(double result) {
        return Math.abs(result) <= Double.MAX_VALUE;
    }

    public static boolean isSum(float result) {
        return Math.abs(result) <= Float.MAX_VALUE;
    }

    /** {@return whether any operation set no flag but IXC} Exponent 2 and up: not even a rounded-up denormal. */
    public static boolean isOrdinary(double result) {
        double magnitude = Math.abs(result);
        return magnitude >= 2 * Double.MIN_NORMAL && magnitude <= Double.MAX_VALUE;
    }

    public static boolean isOrdinary(float result) {
        float magnitude = Math.abs(result);
        return magnitude >= 2 * Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE;
    }

    /** {@return whether a product set no flag but IXC} */
    public static boolean isProduct(double a, double b, double result) {
        return isOrdinary(result) || result == 0 && (a == 0 || b == 0);
    }

    public static boolean isProduct(float a, float b, float result) {
        return isOrdinary(result) || result == 0 && (a == 0 || b == 0);
    }

    /** {@return whether a quotient with dividend {@code a}, or the root of it, set no flag but IXC} */
    public static boolean isQuotient(double a, double result) {
        return isOrdinary(result) || result == 0 && a == 0;
    }

    public static boolean isQuotient(float a, float result) {
        return isOrdinary(result) || result == 0 && a == 0;
    }
}
