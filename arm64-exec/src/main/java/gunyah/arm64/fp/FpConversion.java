package gunyah.arm64.fp;

import static gunyah.arm64.fp.FpFormat.exponentField;
import static gunyah.arm64.fp.FpFormat.fraction;
import static gunyah.arm64.fp.FpFormat.fractionBits;
import static gunyah.arm64.fp.FpFormat.isInfinite;
import static gunyah.arm64.fp.FpFormat.isNaN;
import static gunyah.arm64.fp.FpFormat.isNegative;
import static gunyah.arm64.fp.FpFormat.isZero;
import static gunyah.arm64.fp.FpFormat.sign;

import gunyah.arm64.state.CpuState;

/** Conversions between floating-point formats, integers and fixed point (Arm ARM, FPConvert, FPToFixed, FixedToFP,
 * FPRoundInt), exact under every FPCR. */
final class FpConversion {
    private FpConversion() {
    }

    /** FPConvert with the rounding mode of FPCR. */
    static long convert(CpuState s, int from, int to, long a) {
        return convert(s, from, to, a, SoftFloat.mode(s));
    }

    static long convert(CpuState s, int from, int to, long a, int mode) {
        boolean alternative = (s.fpcr & SoftFloat.AHP) != 0;
        // FZ16 takes no part in conversions
        long x = from == 1 ? a : SoftFloat.flush(s, from, a);
        long sign = isNegative(from, x) ? sign(to) : 0;
        if (from != 1 || !alternative) {
            if (isNaN(from, x)) {
                return convertNaN(s, from, to, x, alternative && to == 1);
            }
            if (isInfinite(from, x)) {
                return alternative && to == 1 ? alternativeOverflow(s, sign) : sign | FpFormat.infinity(to);
            }
        }
        if (isZero(from, x)) {
            return sign;
        }
        int exponent = FpFormat.exponent(from, x);
        long significand = FpFormat.significand(from, x);
        return alternative && to == 1 ? roundAlternative(s, sign, exponent, significand, mode)
                : SoftFloat.round(s, to, sign != 0, exponent, significand, mode, to != 1 && SoftFloat.flushes(s, to));
    }

    private static long convertNaN(CpuState s, int from, int to, long x, boolean alternative) {
        long sign = isNegative(from, x) ? sign(to) : 0;
        if (FpFormat.isSignalling(from, x) || alternative) {
            s.fpsr |= SoftFloat.IOC;
        }
        if (alternative) {
            return sign;
        }
        if ((s.fpcr & SoftFloat.DN) != 0) {
            return FpFormat.defaultNaN(to);
        }
        long payload = fraction(from, x) << 52 - fractionBits(from) >>> 52 - fractionBits(to);
        return sign | FpFormat.defaultNaN(to) | payload;
    }

    private static long alternativeOverflow(CpuState s, long sign) {
        s.fpsr |= SoftFloat.IOC;
        return sign | 0x7FFF;
    }

    /** Rounds to the alternative half-precision format, whose exponent 31 is an ordinary one. */
    private static long roundAlternative(CpuState s, long sign, int exponent, long significand, int mode) {
        if (exponent < 15) {
            return SoftFloat.round(s, 1, sign != 0, exponent, significand, mode, false);
        }
        long kept = significand >>> 53;
        long rest = significand << 11;
        if (SoftFloat.roundsUp(mode, sign != 0, kept, rest)) {
            kept++;
        }
        if (exponent > 16 || (exponent + 14 << 10) + kept > 0x7FFF) {
            return alternativeOverflow(s, sign);
        }
        s.fpsr |= rest != 0 ? SoftFloat.IXC : 0;
        return sign | (exponent + 14 << 10) + kept;
    }

    /** FPRoundInt: to an integer in the same format; {@code exact} raises IXC when that changes the value. */
    static long roundToInteger(CpuState s, int size, long a, int mode, boolean exact) {
        long x = SoftFloat.flush(s, size, a);
        if (isNaN(size, x)) {
            return SoftFloat.quieted(s, size, x);
        }
        int field = exponentField(size, x);
        int shift = fractionBits(size) + FpFormat.bias(size) - Math.max(field, 1);
        if (shift <= 0 || isZero(size, x)) {
            return x;
        }
        long whole = fraction(size, x) | (field == 0 ? 0 : 1L << fractionBits(size));
        int bits = Math.min(shift, 63);
        long kept = whole >>> bits;
        long rest = whole << 64 - bits;
        if (SoftFloat.roundsUp(mode, isNegative(size, x), kept, rest)) {
            kept++;
        }
        if (exact && rest != 0) {
            s.fpsr |= SoftFloat.IXC;
        }
        long sign = x & sign(size);
        return kept == 0 ? sign : SoftFloat.round(s, size, sign != 0, 63, kept);
    }

    /**
     * FPRoundIntN: as {@link #roundToInteger}, exact; what does not fit into {@code bits} signed bits is invalid and
     * becomes the most negative of them.
     */
    static long roundToSize(CpuState s, int size, long a, int bits, int mode) {
        long x = SoftFloat.flush(s, size, a);
        long least = sign(size) | (long) (FpFormat.bias(size) + bits - 1) << fractionBits(size);
        if (isNaN(size, x) || isInfinite(size, x)) {
            s.fpsr |= SoftFloat.IOC;
            return least;
        }
        int flags = s.fpsr;
        long rounded = roundToInteger(s, size, x, mode, true);
        boolean fits = FpFormat.magnitude(size, rounded) < FpFormat.magnitude(size, least) || rounded == least;
        if (!fits) {
            s.fpsr = flags | SoftFloat.IOC;
        }
        return fits ? rounded : least;
    }

    /**
     * FJCVTZS: to an integer, towards zero, modulo 2^32.
     *
     * @return the 32 bits, and in bit 32 whether nothing was lost
     */
    static long toJavaScript(CpuState s, long a) {
        long x = SoftFloat.flush(s, 3, a);
        if (isNaN(3, x) || isInfinite(3, x)) {
            s.fpsr |= SoftFloat.IOC;
            return 0;
        }
        if (isZero(3, x)) {
            return isNegative(3, x) ? 0 : 1L << 32;
        }
        int shift = 63 - FpFormat.exponent(3, x);
        long significand = FpFormat.significand(3, x);
        long whole = shift > 63 ? 0 : shift >= 0 ? significand >>> shift : shift > -64 ? significand << -shift : 0;
        boolean exact = shift <= 0 || shift < 64 && significand << 64 - shift == 0;
        long value = isNegative(3, x) ? -whole : whole;
        boolean fits = shift > 31 && value == (int) value;
        if (!fits) {
            s.fpsr |= SoftFloat.IOC;
        } else if (!exact) {
            s.fpsr |= SoftFloat.IXC;
        }
        return value & 0xFFFF_FFFFL | (fits && exact ? 1L << 32 : 0);
    }

    /**
     * FPToFixed.
     *
     * @param fractionBits bits after the binary point of the result
     * @param resultBits   32 or 64; the result is zero extended from there
     */
    static long toFixed(CpuState s, int size, long a, int fractionBits, boolean unsigned, int resultBits, int mode) {
        long x = SoftFloat.flush(s, size, a);
        if (isNaN(size, x)) {
            s.fpsr |= SoftFloat.IOC;
            return 0;
        }
        if (isZero(size, x)) {
            return 0;
        }
        boolean negative = isNegative(size, x);
        int shift = isInfinite(size, x) ? -1 : 63 - FpFormat.exponent(size, x) - fractionBits;
        if (shift < 0) {
            return saturated(s, negative, unsigned, resultBits);
        }
        long significand = FpFormat.significand(size, x);
        long kept = shift > 63 ? 0 : significand >>> shift;
        long rest = shift == 0 ? 0 : shift > 64 ? 1 : shift == 64 ? significand : significand << 64 - shift;
        if (SoftFloat.roundsUp(mode, negative, kept, rest)) {
            kept++;
        }
        long limit = unsigned ? negative ? 0 : -1L >>> 64 - resultBits : (1L << resultBits - 1) - (negative ? 0 : 1);
        if (Long.compareUnsigned(kept, limit) > 0) {
            return saturated(s, negative, unsigned, resultBits);
        }
        if (rest != 0) {
            s.fpsr |= SoftFloat.IXC;
        }
        return (negative ? -kept : kept) & -1L >>> 64 - resultBits;
    }

    private static long saturated(CpuState s, boolean negative, boolean unsigned, int resultBits) {
        s.fpsr |= SoftFloat.IOC;
        if (unsigned) {
            return negative ? 0 : -1L >>> 64 - resultBits;
        }
        return (1L << resultBits - 1) - (negative ? 0 : 1);
    }

    /** FixedToFP of a value already extended to 64 bits, rounding by FPCR. */
    static long fromFixed(CpuState s, int size, long value, int fractionBits, boolean unsigned) {
        if (value == 0) {
            return 0;
        }
        boolean negative = !unsigned && value < 0;
        return SoftFloat.round(s, size, negative, 63 - fractionBits, negative ? -value : value);
    }
}
