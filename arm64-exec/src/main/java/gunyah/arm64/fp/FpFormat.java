package gunyah.arm64.fp;

/**
 * The IEEE 754 binary formats as bit patterns. A format is named by {@code size}, log2 of its bytes: 1 half, 2 single,
 * 3 double precision. A finite non-zero value is {@code significand / 2^63 * 2^exponent} with the significand's top
 * bit set, whether or not it is denormal.
 */
final class FpFormat {
    private FpFormat() {
    }

    /** The size that names BFloat16, which is as long as half precision. */
    static final int BFLOAT = 0;

    static int fractionBits(int size) {
        return size == 3 ? 52 : size == 2 ? 23 : size == 1 ? 10 : 7;
    }

    /** {@return the exponent field of infinities and NaNs} */
    static int exponentMask(int size) {
        return size == 3 ? 0x7FF : size == 1 ? 0x1F : 0xFF;
    }

    static int bias(int size) {
        return exponentMask(size) >> 1;
    }

    static long sign(int size) {
        return size == BFLOAT ? 0x8000 : 1L << (8 << size) - 1;
    }

    static long infinity(int size) {
        return (long) exponentMask(size) << fractionBits(size);
    }

    /** {@return the bit that tells a quiet NaN from a signalling one} */
    static long quiet(int size) {
        return 1L << fractionBits(size) - 1;
    }

    static long defaultNaN(int size) {
        return infinity(size) | quiet(size);
    }

    static long magnitude(int size, long x) {
        return x & sign(size) - 1;
    }

    static boolean isNegative(int size, long x) {
        return (x & sign(size)) != 0;
    }

    static boolean isNaN(int size, long x) {
        return magnitude(size, x) > infinity(size);
    }

    static boolean isSignalling(int size, long x) {
        return isNaN(size, x) && (x & quiet(size)) == 0;
    }

    static boolean isInfinite(int size, long x) {
        return magnitude(size, x) == infinity(size);
    }

    static boolean isZero(int size, long x) {
        return magnitude(size, x) == 0;
    }

    static int exponentField(int size, long x) {
        return (int) (x >>> fractionBits(size)) & exponentMask(size);
    }

    static long fraction(int size, long x) {
        return x & (1L << fractionBits(size)) - 1;
    }

    /** {@return the exponent of a non-zero finite value} */
    static int exponent(int size, long x) {
        int field = exponentField(size, x);
        if (field != 0) {
            return field - bias(size);
        }
        return 64 - Long.numberOfLeadingZeros(fraction(size, x)) - fractionBits(size) - bias(size);
    }

    /** {@return the significand of a non-zero finite value, top bit set} */
    static long significand(int size, long x) {
        long fraction = fraction(size, x);
        return exponentField(size, x) != 0 ? (fraction | 1L << fractionBits(size)) << 63 - fractionBits(size)
                : fraction << Long.numberOfLeadingZeros(fraction);
    }

    /** {@return a number that orders as the values do; both zeros give 0} Not for NaNs. */
    static long order(int size, long x) {
        long magnitude = magnitude(size, x);
        return isNegative(size, x) ? -magnitude : magnitude;
    }

    /** {@return 2^exponent * (1 + half / 2)}, a constant that is exact in every format */
    static long constant(int size, int exponent, int half) {
        return (long) (bias(size) + exponent) << fractionBits(size) | half * quiet(size);
    }
}
