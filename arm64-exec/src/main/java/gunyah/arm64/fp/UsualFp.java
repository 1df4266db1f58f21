package gunyah.arm64.fp;

import gunyah.arm64.mmu.Miss;
import gunyah.arm64.state.CpuState;

/**
 * Floating point in its usual mode, for translated code: rounding to nearest, no flushing of denormals, and FPSR.IXC set
 * already, so that inexactness, which the JVM does not report, changes nothing. Then the JVM's arithmetic gives result
 * and flags wherever the result rules out every other flag and every NaN. The methods here answer such a result, and
 * leave all else to the interpreter by {@link Miss}.
 */
public final class UsualFp {
    private static final int UNUSUAL = SoftFloat.FZ | 3 << 22;

    private UsualFp() {
    }

    /** {@return whether this is the mode now} */
    public static boolean isUsual(CpuState s) {
        return (s.fpcr & UNUSUAL) == 0 && (s.fpsr & SoftFloat.IXC) != 0;
    }

    private static boolean isFinite(double result) {
        return Math.abs(result) <= Double.MAX_VALUE;
    }

    private static boolean isFinite(float result) {
        return Math.abs(result) <= Float.MAX_VALUE;
    }

    /** Exponent 2 and up: not even a rounded-up denormal. */
    private static boolean isOrdinary(double result) {
        double magnitude = Math.abs(result);
        return magnitude >= 2 * Double.MIN_NORMAL && magnitude <= Double.MAX_VALUE;
    }

    private static boolean isOrdinary(float result) {
        float magnitude = Math.abs(result);
        return magnitude >= 2 * Float.MIN_NORMAL && magnitude <= Float.MAX_VALUE;
    }

    /** {@return the result of an addition} It is exact where it is tiny. */
    public static double sum(double result) {
        Miss.unless(isFinite(result));
        return result;
    }

    public static float sum(float result) {
        Miss.unless(isFinite(result));
        return result;
    }

    public static double product(double a, double b) {
        double result = a * b;
        Miss.unless(isOrdinary(result) || result == 0 && (a == 0 || b == 0));
        return result;
    }

    public static float product(float a, float b) {
        float result = a * b;
        Miss.unless(isOrdinary(result) || result == 0 && (a == 0 || b == 0));
        return result;
    }

    public static double quotient(double a, double b) {
        double result = a / b;
        Miss.unless(isOrdinary(result) || result == 0 && a == 0);
        return result;
    }

    public static float quotient(float a, float b) {
        float result = a / b;
        Miss.unless(isOrdinary(result) || result == 0 && a == 0);
        return result;
    }

    public static double root(double a) {
        double result = Math.sqrt(a);
        Miss.unless(isOrdinary(result) || result == 0);
        return result;
    }

    /** The double root of a single is never so near a tie that rounding twice matters. */
    public static float root(float a) {
        float result = (float) Math.sqrt(a);
        Miss.unless(isOrdinary(result) || result == 0);
        return result;
    }

    /** {@return a * b + c} */
    public static double fused(double a, double b, double c) {
        double result = Math.fma(a, b, c);
        Miss.unless(isOrdinary(result));
        return result;
    }

    public static float fused(float a, float b, float c) {
        float result = Math.fma(a, b, c);
        Miss.unless(isOrdinary(result));
        return result;
    }

    /** {@return the single nearest to a double} */
    public static float single(double a) {
        float result = (float) a;
        Miss.unless(isOrdinary(result) || a == 0);
        return result;
    }

    /** {@return the operand of a comparison, a number} */
    public static double number(double a) {
        Miss.unless(a == a);
        return a;
    }

    /** {@return {@code a} towards zero when {@code low < a < high}} These are inside what a long can hold. */
    public static long integer(double a, double low, double high) {
        Miss.unless(a > low && a < high);
        return (long) a;
    }

    private static long pack(float low, float high) {
        return Float.floatToRawIntBits(low) & 0xFFFF_FFFFL | (long) Float.floatToRawIntBits(high) << 32;
    }

    private static float low(long half) {
        return Float.intBitsToFloat((int) half);
    }

    private static float high(long half) {
        return Float.intBitsToFloat((int) (half >>> 32));
    }

    // Two singles in a half of a vector

    public static long fadd2(long n, long m) {
        return pack(sum(low(n) + low(m)), sum(high(n) + high(m)));
    }

    public static long fsub2(long n, long m) {
        return pack(sum(low(n) - low(m)), sum(high(n) - high(m)));
    }

    public static long fmul2(long n, long m) {
        return pack(product(low(n), low(m)), product(high(n), high(m)));
    }

    public static long fmla2(long d, long n, long m) {
        return pack(fused(low(n), low(m), low(d)), fused(high(n), high(m), high(d)));
    }
}
