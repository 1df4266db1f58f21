package gunyah.arm64.fp;

import static gunyah.arm64.fp.FpFormat.bias;
import static gunyah.arm64.fp.FpFormat.exponent;
import static gunyah.arm64.fp.FpFormat.exponentMask;
import static gunyah.arm64.fp.FpFormat.fractionBits;
import static gunyah.arm64.fp.FpFormat.infinity;
import static gunyah.arm64.fp.FpFormat.isInfinite;
import static gunyah.arm64.fp.FpFormat.isNaN;
import static gunyah.arm64.fp.FpFormat.isNegative;
import static gunyah.arm64.fp.FpFormat.isSignalling;
import static gunyah.arm64.fp.FpFormat.isZero;
import static gunyah.arm64.fp.FpFormat.sign;
import static gunyah.arm64.fp.FpFormat.significand;

import gunyah.arm64.state.CpuState;

/**
 * Exact floating-point arithmetic under every FPCR (Arm ARM, shared/functions/float), in integers. Values are bit
 * patterns of the format {@code size} (see {@link FpFormat}); the cumulative flags of FPSR are set in the state given.
 * Tininess is detected before rounding, as the architecture says.
 */
final class SoftFloat {
    static final int IOC = 1;
    static final int DZC = 1 << 1;
    static final int OFC = 1 << 2;
    static final int UFC = 1 << 3;
    static final int IXC = 1 << 4;
    static final int IDC = 1 << 7;

    static final int AHP = 1 << 26;
    static final int DN = 1 << 25;
    static final int FZ = 1 << 24;
    static final int FZ16 = 1 << 19;

    static final int TIE_EVEN = 0;
    static final int TO_PLUS = 1;
    static final int TO_MINUS = 2;
    static final int TO_ZERO = 3;
    static final int TIE_AWAY = 4;
    static final int TO_ODD = 5;
    /** As {@link #TO_ODD}, but what is too large becomes infinite. */
    static final int TO_ODD_OR_INFINITY = 6;

    /** A bit that no FPCR has: {@link #mode} is {@link #TO_ODD_OR_INFINITY}. For the arithmetic of BFloat16 products. */
    static final int ODD = 1;

    private SoftFloat() {
    }

    /** {@return FPCR.RMode} */
    static int mode(CpuState s) {
        return (s.fpcr & ODD) != 0 ? TO_ODD_OR_INFINITY : s.fpcr >>> 22 & 3;
    }

    static long invalid(CpuState s, int size) {
        s.fpsr |= IOC;
        return FpFormat.defaultNaN(size);
    }

    /** {@return whether denormals of the format are flushed to zero} */
    static boolean flushes(CpuState s, int size) {
        return (s.fpcr & (size == 1 ? FZ16 : FZ)) != 0;
    }

    /** {@return {@code x}, or a zero of its sign when it is denormal and FPCR says so}; only half precision is silent */
    static long flush(CpuState s, int size, long x) {
        if (flushes(s, size) && FpFormat.exponentField(size, x) == 0 && !isZero(size, x)) {
            s.fpsr |= size == 1 ? 0 : IDC;
            return x & sign(size);
        }
        return x;
    }

    /** FPProcessNaN. */
    static long quieted(CpuState s, int size, long nan) {
        if (isSignalling(size, nan)) {
            s.fpsr |= IOC;
        }
        return (s.fpcr & DN) != 0 ? FpFormat.defaultNaN(size) : nan | FpFormat.quiet(size);
    }

    /** FPProcessNaNs, at least one operand being a NaN: the first signalling one, else the first. */
    static long nan(CpuState s, int size, long a, long b) {
        boolean first = isSignalling(size, a) || !isSignalling(size, b) && isNaN(size, a);
        return quieted(s, size, first ? a : b);
    }

    /** FPProcessNaNs3. */
    static long nan(CpuState s, int size, long a, long b, long c) {
        if (isSignalling(size, a)) {
            return quieted(s, size, a);
        }
        if (isSignalling(size, b) || isSignalling(size, c)) {
            return nan(s, size, b, c);
        }
        return isNaN(size, a) ? quieted(s, size, a) : nan(s, size, b, c);
    }

    /** A zero that is the exact result of a sum of opposites. */
    private static long cancelled(CpuState s, int size) {
        return mode(s) == TO_MINUS ? sign(size) : 0;
    }

    /** {@return whether the discarded bits make the magnitude one larger}; {@code rest} has 1/2 in its top bit */
    static boolean roundsUp(int mode, boolean negative, long kept, long rest) {
        return switch (mode) {
            case TIE_EVEN -> rest < 0 && (rest != Long.MIN_VALUE || (kept & 1) != 0);
            case TO_PLUS -> rest != 0 && !negative;
            case TO_MINUS -> rest != 0 && negative;
            case TIE_AWAY -> rest < 0;
            case TO_ODD, TO_ODD_OR_INFINITY -> rest != 0 && (kept & 1) == 0;
            default -> false;
        };
    }

    static long round(CpuState s, int size, boolean negative, int exponent, long significand) {
        return round(s, size, negative, exponent, significand, mode(s));
    }

    /** FPRound of {@code significand / 2^63 * 2^exponent}, the significand's last bit being sticky. */
    static long round(CpuState s, int size, boolean negative, int exponent, long significand, int mode) {
        return round(s, size, negative, exponent, significand, mode, flushes(s, size));
    }

    /** FPRound, or with {@code flushed} false for half precision FPRoundCV. */
    static long round(CpuState s, int size, boolean negative, int exponent, long significand, int mode,
            boolean flushed) {
        int zeros = Long.numberOfLeadingZeros(significand);
        long full = significand << zeros;
        int e = exponent - zeros;
        int below = 1 - bias(size) - e;
        long sign = negative ? sign(size) : 0;
        if (below > 0 && flushed) {
            s.fpsr |= UFC;
            return sign;
        }
        int drop = 63 - fractionBits(size) + Math.max(below, 0);
        long kept = drop > 63 ? 0 : full >>> drop;
        long rest = drop > 64 ? 1 : drop == 64 ? full : full << 64 - drop;
        if (roundsUp(mode, negative, kept, rest)) {
            kept++;
        }
        if (rest != 0) {
            s.fpsr |= below > 0 ? UFC | IXC : IXC;
        }
        if (below > 0) {
            return sign | kept;
        }
        // the hidden bit and a carry out of the fraction both count into the exponent field
        int field = e + bias(size) - 1;
        if (field >= exponentMask(size) || ((long) field << fractionBits(size)) + kept >= infinity(size)) {
            return overflow(s, size, negative, mode);
        }
        return sign | ((long) field << fractionBits(size)) + kept;
    }

    static long overflow(CpuState s, int size, boolean negative, int mode) {
        s.fpsr |= OFC | IXC;
        boolean infinite = mode == TIE_EVEN || mode == TIE_AWAY || mode == TO_ODD_OR_INFINITY
                || mode == (negative ? TO_MINUS : TO_PLUS);
        return (negative ? sign(size) : 0) | infinity(size) - (infinite ? 0 : 1);
    }

    static long add(CpuState s, int size, long a, long b) {
        return sum(s, size, a, b, 0);
    }

    static long sub(CpuState s, int size, long a, long b) {
        return sum(s, size, a, b, sign(size));
    }

    private static long sum(CpuState s, int size, long a, long b, long negation) {
        long x = flush(s, size, a);
        long second = flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, second)) {
            return nan(s, size, x, second);
        }
        long y = second ^ negation;
        boolean opposite = ((x ^ y) & sign(size)) != 0;
        if (isInfinite(size, x)) {
            return opposite && isInfinite(size, y) ? invalid(s, size) : x;
        }
        if (isZero(size, x) && isZero(size, y)) {
            return opposite ? cancelled(s, size) : x;
        }
        if (isInfinite(size, y) || isZero(size, x)) {
            return y;
        }
        return isZero(size, y) ? x : finiteSum(s, size, x, y, opposite);
    }

    private static long finiteSum(CpuState s, int size, long x, long y, boolean opposite) {
        int ex = exponent(size, x);
        int ey = exponent(size, y);
        long mx = significand(size, x) >>> 1;
        long my = significand(size, y) >>> 1;
        int e = Math.max(ex, ey);
        mx = jam(mx, e - ex);
        my = jam(my, e - ey);
        boolean negative = isNegative(size, x);
        if (!opposite) {
            return round(s, size, negative, e + 1, mx + my);
        }
        if (mx == my) {
            return cancelled(s, size);
        }
        return mx > my ? round(s, size, negative, e + 1, mx - my) : round(s, size, !negative, e + 1, my - mx);
    }

    /** Shifts right, keeping in the last bit whether a one was lost. */
    private static long jam(long x, int shift) {
        if (shift == 0) {
            return x;
        }
        return shift > 63 ? 1 : x >>> shift | (x << 64 - shift != 0 ? 1 : 0);
    }

    /** FPMul, and with {@code extended} FPMulX: zero times infinity is 2. */
    static long mul(CpuState s, int size, long a, long b, boolean extended) {
        long x = flush(s, size, a);
        long y = flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            return nan(s, size, x, y);
        }
        long sign = (x ^ y) & sign(size);
        if (isInfinite(size, x) || isInfinite(size, y)) {
            if (isZero(size, x) || isZero(size, y)) {
                return extended ? sign | FpFormat.constant(size, 1, 0) : invalid(s, size);
            }
            return sign | infinity(size);
        }
        if (isZero(size, x) || isZero(size, y)) {
            return sign;
        }
        long mx = significand(size, x);
        long my = significand(size, y);
        long product = Math.unsignedMultiplyHigh(mx, my) | (mx * my != 0 ? 1 : 0);
        return round(s, size, sign != 0, exponent(size, x) + exponent(size, y) + 1, product);
    }

    static long div(CpuState s, int size, long a, long b) {
        long x = flush(s, size, a);
        long y = flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            return nan(s, size, x, y);
        }
        long sign = (x ^ y) & sign(size);
        if (isInfinite(size, x)) {
            return isInfinite(size, y) ? invalid(s, size) : sign | infinity(size);
        }
        if (isZero(size, x)) {
            return isZero(size, y) ? invalid(s, size) : sign;
        }
        if (isInfinite(size, y)) {
            return sign;
        }
        if (isZero(size, y)) {
            s.fpsr |= DZC;
            return sign | infinity(size);
        }
        long divisor = significand(size, y) >>> 11;
        long quotient = (significand(size, x) >>> 11) / divisor;
        long rest = (significand(size, x) >>> 11) % divisor;
        for (int digits = 0; digits < 5; digits++) {
            rest <<= 11;
            quotient = quotient << 11 | Long.divideUnsigned(rest, divisor);
            rest = Long.remainderUnsigned(rest, divisor);
        }
        return round(s, size, sign != 0, exponent(size, x) - exponent(size, y) + 1,
                quotient << 7 | (rest != 0 ? 1 : 0));
    }

    static long sqrt(CpuState s, int size, long a) {
        long x = flush(s, size, a);
        if (isNaN(size, x)) {
            return quieted(s, size, x);
        }
        if (isZero(size, x) || isInfinite(size, x) && !isNegative(size, x)) {
            return x;
        }
        if (isNegative(size, x)) {
            return invalid(s, size);
        }
        int e = exponent(size, x);
        long radicand = significand(size, x) >>> 11 << (e & 1);
        long root = 0;
        long rest = 0;
        for (int digit = 55; digit >= 0; digit--) {
            rest = rest << 2 | (digit >= 29 ? radicand >>> 2 * digit - 58 & 3 : 0);
            long trial = root << 2 | 1;
            root <<= 1;
            if (rest >= trial) {
                rest -= trial;
                root++;
            }
        }
        return round(s, size, false, (e >> 1) + 1, root << 7 | (rest != 0 ? 1 : 0));
    }

    /** FPMulAdd: {@code c + a * b}, rounded once. */
    static long fma(CpuState s, int size, long c, long a, long b) {
        long z = flush(s, size, c);
        long x = flush(s, size, a);
        long y = flush(s, size, b);
        boolean zeroTimesInfinity = isZero(size, x) && isInfinite(size, y) || isInfinite(size, x) && isZero(size, y);
        if (isNaN(size, z) || isNaN(size, x) || isNaN(size, y)) {
            long nan = nan(s, size, z, x, y);
            return zeroTimesInfinity && !isSignalling(size, z) ? invalid(s, size) : nan;
        }
        long sign = (x ^ y) & sign(size);
        if (zeroTimesInfinity) {
            return invalid(s, size);
        }
        if (isInfinite(size, x) || isInfinite(size, y)) {
            boolean opposite = ((sign ^ z) & sign(size)) != 0;
            return isInfinite(size, z) && opposite ? invalid(s, size) : sign | infinity(size);
        }
        return isInfinite(size, z) ? z : finiteFma(s, size, z, x, y, 0);
    }

    /** FPRecipStepFused (2 - a * b) and, with {@code root}, FPRSqrtStepFused ((3 - a * b) / 2). */
    static long step(CpuState s, int size, long a, long b, boolean root) {
        long x = flush(s, size, a ^ sign(size));
        long y = flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            return nan(s, size, x, y);
        }
        if (isInfinite(size, x) || isInfinite(size, y)) {
            if (isZero(size, x) || isZero(size, y)) {
                return root ? FpFormat.constant(size, 0, 1) : FpFormat.constant(size, 1, 0);
            }
            return (x ^ y) & sign(size) | infinity(size);
        }
        return root ? finiteFma(s, size, FpFormat.constant(size, 1, 1), x, y, -1)
                : finiteFma(s, size, FpFormat.constant(size, 1, 0), x, y, 0);
    }

    /** {@code (z + x * y) * 2^scale} of finite values. The sum is kept in 128 bits, {@code high:low / 2^124 * 2^e}. */
    private static long finiteFma(CpuState s, int size, long z, long x, long y, int scale) {
        long productSign = (x ^ y) & sign(size);
        if (isZero(size, x) || isZero(size, y)) {
            if (isZero(size, z)) {
                return z == productSign ? z : cancelled(s, size);
            }
            return round(s, size, isNegative(size, z), exponent(size, z) + scale, significand(size, z));
        }
        long mx = significand(size, x);
        long my = significand(size, y);
        long productLow = mx * my;
        long productHigh = Math.unsignedMultiplyHigh(mx, my);
        long low = productLow >>> 2 | productHigh << 62;
        long high = productHigh >>> 2;
        int e = exponent(size, x) + exponent(size, y);
        boolean negative = productSign != 0;
        if (!isZero(size, z)) {
            long addend = significand(size, z);
            long addendHigh = addend >>> 3;
            long addendLow = addend << 61;
            int shift = e - exponent(size, z);
            if (shift > 0) {
                addendLow = jamLow(addendHigh, addendLow, shift);
                addendHigh = shift > 63 ? 0 : addendHigh >>> shift;
            } else if (shift < 0) {
                low = jamLow(high, low, -shift);
                high = -shift > 63 ? 0 : high >>> -shift;
                e = exponent(size, z);
            }
            if (negative == isNegative(size, z)) {
                low += addendLow;
                high += addendHigh + (Long.compareUnsigned(low, addendLow) < 0 ? 1 : 0);
            } else {
                long borrow = Long.compareUnsigned(low, addendLow) < 0 ? 1 : 0;
                low -= addendLow;
                high -= addendHigh + borrow;
                if (high < 0) {
                    negative = !negative;
                    high = ~high + (low == 0 ? 1 : 0);
                    low = -low;
                }
            }
        }
        if ((high | low) == 0) {
            return cancelled(s, size);
        }
        if (high == 0) {
            return round(s, size, negative, e - 61 + scale, low);
        }
        int zeros = Long.numberOfLeadingZeros(high);
        long top = zeros == 0 ? high : high << zeros | low >>> 64 - zeros;
        return round(s, size, negative, e + 3 - zeros + scale, top | (low << zeros != 0 ? 1 : 0));
    }

    /** The low word of {@code high:low} shifted right, with a sticky last bit. */
    private static long jamLow(long high, long low, int shift) {
        if (shift < 64) {
            return low >>> shift | high << 64 - shift | (low << 64 - shift != 0 ? 1 : 0);
        }
        if (shift == 64) {
            return high | (low != 0 ? 1 : 0);
        }
        return shift > 127 ? 1 : high >>> shift - 64 | (high << 128 - shift != 0 || low != 0 ? 1 : 0);
    }
}
