package gunyah.arm64.fp;

import static gunyah.arm64.fp.Lanes.mask;
import static gunyah.arm64.fp.Lanes.ones;
import static gunyah.arm64.fp.Lanes.sx;
import static gunyah.arm64.fp.Lanes.tops;

import gunyah.arm64.state.CpuState;

/**
 * Integer arithmetic on vector elements: saturation (FPSR.QC), shifts with rounding, and the operations that work on
 * all elements of a 64-bit half at once.
 */
final class LaneArithmetic {
    /** FPSR.QC, cumulative saturation. */
    static final int QC = 1 << 27;

    private LaneArithmetic() {
    }

    /** Element-wise sum: the top bits are added without their carries. */
    static long add(int size, long n, long m) {
        long top = tops(size);
        return (n & ~top) + (m & ~top) ^ (n ^ m) & top;
    }

    /** Element-wise difference: the top bits lend, so that no borrow leaves an element. */
    static long sub(int size, long n, long m) {
        long top = tops(size);
        return (n | top) - (m & ~top) ^ (n ^ ~m) & top;
    }

    /** Ones in every element of {@code x} that is zero. */
    static long isZero(int size, long x) {
        long top = tops(size);
        long nonZero = (x & ~top) + ~top | x;
        return spread(size, ~nonZero & top);
    }

    /** Ones in every element whose top bit is set in {@code flags}; other bits of {@code flags} must be zero. */
    static long spread(int size, long flags) {
        return (flags >>> (8 << size) - 1) * mask(size);
    }

    /** Ones in every element where n >= m, unsigned. */
    static long higherSame(int size, long n, long m) {
        long top = tops(size);
        long rest = (n | top) - (m & ~top);
        return spread(size, (n & ~m | ~(n ^ m) & rest) & top);
    }

    /** Ones in every element where n >= m, signed. */
    static long greaterEqual(int size, long n, long m) {
        long top = tops(size);
        return higherSame(size, n ^ top, m ^ top);
    }

    /** The larger of every two elements, signed. */
    static long maxS(int size, long n, long m) {
        return m ^ (n ^ m) & greaterEqual(size, n, m);
    }

    /** The larger of every two elements, unsigned. */
    static long maxU(int size, long n, long m) {
        return m ^ (n ^ m) & higherSame(size, n, m);
    }

    /** The smaller of every two elements, signed. */
    static long minS(int size, long n, long m) {
        return n ^ (n ^ m) & greaterEqual(size, n, m);
    }

    /** The smaller of every two elements, unsigned. */
    static long minU(int size, long n, long m) {
        return n ^ (n ^ m) & higherSame(size, n, m);
    }

    /** {@code value} limited to a signed element. */
    static long satS(CpuState s, int size, long value) {
        long limited = sx(value, size);
        if (limited == value) {
            return value;
        }
        s.fpsr |= QC;
        return value >> 63 ^ mask(size) >>> 1;
    }

    /** Signed {@code value} limited to an unsigned element. */
    static long satU(CpuState s, int size, long value) {
        if (value < 0) {
            s.fpsr |= QC;
            return 0;
        }
        return satUnsigned(s, size, value);
    }

    /** Unsigned {@code value} limited to an unsigned element. */
    static long satUnsigned(CpuState s, int size, long value) {
        if ((value & ~mask(size)) == 0) {
            return value;
        }
        s.fpsr |= QC;
        return mask(size);
    }

    static long sqadd(CpuState s, int size, long a, long b) {
        long x = sx(a, size);
        long y = sx(b, size);
        long sum = x + y;
        if (size == 3 && ((x ^ sum) & (y ^ sum)) < 0) {
            s.fpsr |= QC;
            return x >> 63 ^ Long.MAX_VALUE;
        }
        return satS(s, size, sum);
    }

    static long sqsub(CpuState s, int size, long a, long b) {
        long x = sx(a, size);
        long y = sx(b, size);
        long difference = x - y;
        if (size == 3 && ((x ^ y) & (x ^ difference)) < 0) {
            s.fpsr |= QC;
            return x >> 63 ^ Long.MAX_VALUE;
        }
        return satS(s, size, difference);
    }

    static long uqadd(CpuState s, int size, long a, long b) {
        long sum = a + b;
        if (size == 3 && Long.compareUnsigned(sum, a) < 0) {
            s.fpsr |= QC;
            return -1;
        }
        return satUnsigned(s, size, sum);
    }

    static long uqsub(CpuState s, int size, long a, long b) {
        if (Long.compareUnsigned(a, b) < 0) {
            s.fpsr |= QC;
            return 0;
        }
        return a - b;
    }

    /** SUQADD: unsigned {@code n} added to signed {@code d}. */
    static long suqadd(CpuState s, int size, long d, long n) {
        long sum = sx(d, size) + n;
        if (size == 3) {
            return d >= 0 && n < 0 || sum < 0 && (d >= 0 || n < 0) ? saturated(s, Long.MAX_VALUE) : sum;
        }
        return satS(s, size, sum);
    }

    /** USQADD: signed {@code n} added to unsigned {@code d}. */
    static long usqadd(CpuState s, int size, long d, long n) {
        long addend = sx(n, size);
        long sum = d + addend;
        if (size == 3) {
            if (addend >= 0 && Long.compareUnsigned(sum, d) < 0) {
                return saturated(s, -1);
            }
            return addend < 0 && Long.compareUnsigned(sum, d) > 0 ? saturated(s, 0) : sum;
        }
        return satU(s, size, sum);
    }

    private static long saturated(CpuState s, long limit) {
        s.fpsr |= QC;
        return limit;
    }

    /** Signed shift right by 0..255 of a sign-extended value. */
    static long shiftRightS(long x, int shift, boolean round) {
        if (shift > 64) {
            return round ? 0 : x >> 63;
        }
        long result = x >> Math.min(shift, 63);
        return round && shift > 0 ? result + (x >> shift - 1 & 1) : result;
    }

    /** Unsigned shift right by 0..255 of a zero-extended value. */
    static long shiftRightU(long x, int shift, boolean round) {
        if (shift > 64) {
            return 0;
        }
        long result = shift == 64 ? 0 : x >>> shift;
        return round && shift > 0 ? result + (x >>> shift - 1 & 1) : result;
    }

    /** SSHL, SRSHL: {@code amount} is the signed bottom byte of the shift element. */
    static long shiftS(int size, long a, long amount, boolean round) {
        int shift = (byte) amount;
        return shift < 0 ? shiftRightS(sx(a, size), -shift, round) : shift > 63 ? 0 : a << shift;
    }

    /** USHL, URSHL. */
    static long shiftU(int size, long a, long amount, boolean round) {
        int shift = (byte) amount;
        return shift < 0 ? shiftRightU(a, -shift, round) : shift > 63 ? 0 : a << shift;
    }

    /** SQSHL, SQRSHL. */
    static long sqshl(CpuState s, int size, long a, int shift, boolean round) {
        long x = sx(a, size);
        if (shift < 0) {
            return shiftRightS(x, -shift, round);
        }
        if (x != 0 && (shift > 63 || x << shift >> shift != x)) {
            return saturated(s, x >> 63 ^ mask(size) >>> 1);
        }
        return satS(s, size, shift > 63 ? 0 : x << shift);
    }

    /** UQSHL, UQRSHL. */
    static long uqshl(CpuState s, int size, long a, int shift, boolean round) {
        if (shift < 0) {
            return shiftRightU(a, -shift, round);
        }
        if (a != 0 && (shift > 63 || a << shift >>> shift != a)) {
            return saturated(s, mask(size));
        }
        return satUnsigned(s, size, shift > 63 ? 0 : a << shift);
    }

    /** SQSHLU: signed value, unsigned result. */
    static long sqshlu(CpuState s, int size, long a, int shift) {
        return sx(a, size) < 0 ? saturated(s, 0) : uqshl(s, size, a, shift, false);
    }

    /** SQDMULH, SQRDMULH: the high half of twice the product. */
    static long sqdmulh(CpuState s, int size, long a, long b, boolean round) {
        int width = 8 << size;
        long product = sx(a, size) * sx(b, size);
        return satS(s, size, round ? (product >> width - 2) + 1 >> 1 : product >> width - 1);
    }

    /** SQRDMLAH ({@code negate} false), SQRDMLSH: accumulate, then round, then saturate. */
    static long sqrdmla(CpuState s, int size, long d, long a, long b, boolean negate) {
        int width = 8 << size;
        long product = sx(a, size) * sx(b, size);
        // In units of half the result's last place: everything fits 64 bits for elements up to 32 bits.
        long accumulator = sx(d, size) << width - 1;
        long sum = accumulator + (negate ? -product : product) + (1L << width - 2);
        return satS(s, size, sum >> width - 1);
    }

    /** SQDMULL: twice the product of two elements of {@code size}, in an element twice as wide. */
    static long sqdmull(CpuState s, int size, long a, long b) {
        long product = sx(a, size) * sx(b, size);
        return size == 2 && product == 1L << 62 ? saturated(s, Long.MAX_VALUE) : satS(s, size + 1, product << 1);
    }

    /** Carry-less product of two 8-bit polynomials. */
    static long pmul8(long a, long b) {
        long product = 0;
        for (int bit = 0; bit < 8; bit++) {
            product ^= (b >>> bit & 1) * (a << bit);
        }
        return product;
    }

    static long absolute(int size, long a) {
        return Math.abs(sx(a, size));
    }

    /** Absolute difference, signed. */
    static long abdS(int size, long a, long b) {
        long x = sx(a, size);
        long y = sx(b, size);
        return x > y ? x - y : y - x;
    }

    /** Absolute difference, unsigned. */
    static long abdU(long a, long b) {
        return a > b ? a - b : b - a;
    }

    static long sqabs(CpuState s, int size, long a) {
        return sx(a, size) < 0 ? sqneg(s, size, a) : a;
    }

    static long sqneg(CpuState s, int size, long a) {
        long x = sx(a, size);
        return x == Long.MIN_VALUE ? saturated(s, Long.MAX_VALUE) : satS(s, size, -x);
    }

    /** {@return the number of one bits of every byte} */
    static long countBytes(long x) {
        long pairs = x - (x >>> 1 & 0x5555_5555_5555_5555L);
        long nibbles = (pairs & 0x3333_3333_3333_3333L) + (pairs >>> 2 & 0x3333_3333_3333_3333L);
        return nibbles + (nibbles >>> 4) & 0x0F0F_0F0F_0F0F_0F0FL;
    }

    /** {@return a half with {@code element} in every element} */
    static long replicate(int size, long element) {
        return (element & mask(size)) * ones(size);
    }
}
