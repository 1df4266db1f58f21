package gunyah.arm64.fp;

import static gunyah.arm64.fp.FpFormat.sign;

import gunyah.arm64.state.CpuState;

/** The reciprocal and reciprocal square root estimate tables (Arm ARM, RecipEstimate and RecipSqrtEstimate). */
final class FpEstimate {
    private FpEstimate() {
    }

    /** {@return the 9-bit estimate 256..511 of the reciprocal of {@code a} = 256..511} */
    static int reciprocal(int a) {
        int b = (1 << 19) / (2 * a + 1);
        return b + 1 >> 1;
    }

    /** {@return the 9-bit estimate 256..511 of the reciprocal square root of {@code a} = 128..511} */
    static int reciprocalRoot(int a) {
        int scaled = a < 256 ? 2 * a + 1 : 2 * (a >> 1 << 1) + 2;
        int b = 512;
        while ((long) scaled * (b + 1) * (b + 1) < 1 << 28) {
            b++;
        }
        return b + 1 >> 1;
    }

    /** URECPE on a 32-bit element. */
    static long unsignedReciprocal(long n) {
        return n >>> 31 == 0 ? 0xFFFF_FFFFL : (long) reciprocal((int) (n >>> 23)) << 23;
    }

    /** URSQRTE on a 32-bit element. */
    static long unsignedReciprocalRoot(long n) {
        return n >>> 30 == 0 ? 0xFFFF_FFFFL : (long) reciprocalRoot((int) (n >>> 23)) << 23;
    }

    /** FPRecipEstimate. */
    static long recpe(CpuState s, int size, long a) {
        long x = SoftFloat.flush(s, size, a);
        if (FpFormat.isNaN(size, x)) {
            return SoftFloat.quieted(s, size, x);
        }
        long sign = x & sign(size);
        if (FpFormat.isInfinite(size, x)) {
            return sign;
        }
        if (FpFormat.isZero(size, x)) {
            s.fpsr |= SoftFloat.DZC;
            return sign | FpFormat.infinity(size);
        }
        int bias = FpFormat.bias(size);
        int exponent = FpFormat.exponent(size, x);
        if (exponent < -bias - 1) {
            return SoftFloat.overflow(s, size, sign != 0, SoftFloat.mode(s));
        }
        if (exponent >= bias - 1 && SoftFloat.flushes(s, size)) {
            s.fpsr |= SoftFloat.UFC;
            return sign;
        }
        long estimate = reciprocal((int) (FpFormat.significand(size, x) >>> 55));
        // 256..511 stands for 1.0 .. 1.998 times 2^(-1 - exponent)
        int field = bias - 1 - exponent;
        int fractionBits = FpFormat.fractionBits(size);
        long fraction = estimate << fractionBits - 8;
        return sign | (field > 0 ? ((long) field - 1 << fractionBits) + fraction : fraction >>> 1 - field);
    }

    /** FPRSqrtEstimate. */
    static long rsqrte(CpuState s, int size, long a) {
        long x = SoftFloat.flush(s, size, a);
        if (FpFormat.isNaN(size, x)) {
            return SoftFloat.quieted(s, size, x);
        }
        long sign = x & sign(size);
        if (FpFormat.isZero(size, x)) {
            s.fpsr |= SoftFloat.DZC;
            return sign | FpFormat.infinity(size);
        }
        if (sign != 0) {
            return SoftFloat.invalid(s, size);
        }
        if (FpFormat.isInfinite(size, x)) {
            return 0;
        }
        int exponent = FpFormat.exponent(size, x);
        long significand = FpFormat.significand(size, x);
        int scaled = (int) (significand >>> ((exponent & 1) == 0 ? 56 : 55));
        int field = FpFormat.bias(size) - 1 - (exponent >> 1);
        long fraction = (long) reciprocalRoot(scaled) - 256 << FpFormat.fractionBits(size) - 8;
        return (long) field << FpFormat.fractionBits(size) | fraction;
    }

    /** FPRecpX: the exponent inverted. */
    static long recpx(CpuState s, int size, long a) {
        long x = SoftFloat.flush(s, size, a);
        if (FpFormat.isNaN(size, x)) {
            return SoftFloat.quieted(s, size, x);
        }
        int field = FpFormat.exponentField(size, x);
        int ones = FpFormat.exponentMask(size);
        return x & sign(size) | (long) (field == 0 ? ones - 1 : ones - field) << FpFormat.fractionBits(size);
    }
}
