package gunyah.arm64.fp;

import static gunyah.arm64.fp.FpFormat.isNaN;
import static gunyah.arm64.fp.FpFormat.isZero;
import static gunyah.arm64.fp.FpFormat.sign;
import static java.lang.Double.longBitsToDouble;
import static java.lang.Float.intBitsToFloat;

import gunyah.arm64.state.CpuState;

/**
 * Floating-point operations on half ({@code size} 1), single (2) and double precision (3) bit patterns.
 *
 * <p>The JVM's arithmetic is used only where it provably gives result and flags: rounding to nearest without flushing,
 * FPSR.IXC already set (so that inexactness, which the JVM does not report, changes nothing) and a result whose
 * exponent rules out every other flag and every NaN. All else is {@link SoftFloat}'s.
 */
final class FpArithmetic {
    private static final int UNUSUAL = SoftFloat.FZ | 3 << 22;

    private FpArithmetic() {
    }

    private static boolean usual(CpuState s, int size) {
        return (s.fpcr & UNUSUAL) == 0 && (s.fpsr & SoftFloat.IXC) != 0 && size > 1;
    }

    /** Exponent field 2 .. 0x7FE: no NaN, no overflow, and not a rounded-up denormal either. */
    private static boolean ordinary(long result) {
        long field = result >>> 52 & 0x7FF;
        return field > 1 && field < 0x7FF;
    }

    private static boolean ordinary(int result) {
        int field = result >>> 23 & 0xFF;
        return field > 1 && field < 0xFF;
    }

    static long add(CpuState s, int size, long a, long b) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(longBitsToDouble(a) + longBitsToDouble(b));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                int result = Float.floatToRawIntBits(intBitsToFloat((int) a) + intBitsToFloat((int) b));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.add(s, size, a, b);
    }

    static long sub(CpuState s, int size, long a, long b) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(longBitsToDouble(a) - longBitsToDouble(b));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                int result = Float.floatToRawIntBits(intBitsToFloat((int) a) - intBitsToFloat((int) b));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.sub(s, size, a, b);
    }

    static long mul(CpuState s, int size, long a, long b) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(longBitsToDouble(a) * longBitsToDouble(b));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                int result = Float.floatToRawIntBits(intBitsToFloat((int) a) * intBitsToFloat((int) b));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.mul(s, size, a, b, false);
    }

    static long div(CpuState s, int size, long a, long b) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(longBitsToDouble(a) / longBitsToDouble(b));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                int result = Float.floatToRawIntBits(intBitsToFloat((int) a) / intBitsToFloat((int) b));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.div(s, size, a, b);
    }

    static long sqrt(CpuState s, int size, long a) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(Math.sqrt(longBitsToDouble(a)));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                // the double root of a single is never so near a tie that rounding twice matters
                int result = Float.floatToRawIntBits((float) Math.sqrt(intBitsToFloat((int) a)));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.sqrt(s, size, a);
    }

    /** {@code c + a * b}, rounded once. */
    static long fma(CpuState s, int size, long c, long a, long b) {
        if (usual(s, size)) {
            if (size == 3) {
                long result = Double.doubleToRawLongBits(
                        Math.fma(longBitsToDouble(a), longBitsToDouble(b), longBitsToDouble(c)));
                if (ordinary(result)) {
                    return result;
                }
            } else {
                int result = Float.floatToRawIntBits(
                        Math.fma(intBitsToFloat((int) a), intBitsToFloat((int) b), intBitsToFloat((int) c)));
                if (ordinary(result)) {
                    return result & 0xFFFF_FFFFL;
                }
            }
        }
        return SoftFloat.fma(s, size, c, a, b);
    }

    static long mulx(CpuState s, int size, long a, long b) {
        return SoftFloat.mul(s, size, a, b, true);
    }

    static long neg(int size, long a) {
        return a ^ sign(size);
    }

    static long abs(int size, long a) {
        return a & ~sign(size);
    }

    static long max(CpuState s, int size, long a, long b) {
        long x = SoftFloat.flush(s, size, a);
        long y = SoftFloat.flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            return SoftFloat.nan(s, size, x, y);
        }
        if (isZero(size, x) && isZero(size, y)) {
            return x & y;
        }
        return FpFormat.order(size, x) > FpFormat.order(size, y) ? x : y;
    }

    static long min(CpuState s, int size, long a, long b) {
        long x = SoftFloat.flush(s, size, a);
        long y = SoftFloat.flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            return SoftFloat.nan(s, size, x, y);
        }
        if (isZero(size, x) && isZero(size, y)) {
            return x | y;
        }
        return FpFormat.order(size, x) < FpFormat.order(size, y) ? x : y;
    }

    /** FPMaxNum: a number wins against a quiet NaN. */
    static long maxnm(CpuState s, int size, long a, long b) {
        long least = FpFormat.infinity(size) | sign(size);
        return max(s, size, isQuietAgainst(size, a, b) ? least : a, isQuietAgainst(size, b, a) ? least : b);
    }

    /** FPMinNum. */
    static long minnm(CpuState s, int size, long a, long b) {
        long most = FpFormat.infinity(size);
        return min(s, size, isQuietAgainst(size, a, b) ? most : a, isQuietAgainst(size, b, a) ? most : b);
    }

    private static boolean isQuietAgainst(int size, long nan, long number) {
        return isNaN(size, nan) && !FpFormat.isSignalling(size, nan) && !isNaN(size, number);
    }

    static long abd(CpuState s, int size, long a, long b) {
        return abs(size, sub(s, size, a, b));
    }

    /** FPCompare. {@return NZCV} {@code signalAll} makes quiet NaNs invalid too. */
    static int compare(CpuState s, int size, long a, long b, boolean signalAll) {
        long x = SoftFloat.flush(s, size, a);
        long y = SoftFloat.flush(s, size, b);
        if (isNaN(size, x) || isNaN(size, y)) {
            if (signalAll || FpFormat.isSignalling(size, x) || FpFormat.isSignalling(size, y)) {
                s.fpsr |= SoftFloat.IOC;
            }
            return CpuState.C | CpuState.V;
        }
        long first = FpFormat.order(size, x);
        long second = FpFormat.order(size, y);
        return first == second ? CpuState.Z | CpuState.C : first < second ? CpuState.N : CpuState.C;
    }

    /** {@return ones when a == b, else zero} */
    static long equal(CpuState s, int size, long a, long b) {
        return compare(s, size, a, b, false) == (CpuState.Z | CpuState.C) ? -1 : 0;
    }

    /** {@return ones when a >= b, else zero} */
    static long greaterEqual(CpuState s, int size, long a, long b) {
        int flags = compare(s, size, a, b, true);
        return flags == CpuState.C || flags == (CpuState.Z | CpuState.C) ? -1 : 0;
    }

    /** {@return ones when a > b, else zero} */
    static long greater(CpuState s, int size, long a, long b) {
        return compare(s, size, a, b, true) == CpuState.C ? -1 : 0;
    }
}
