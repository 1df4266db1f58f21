package gunyah.arm64.fp;

/**
 * Vector operations on one 64-bit half each, for translated code: {@code size} is the log2 of an element's bytes, and
 * constant there. Each does what the row of that name does.
 */
public final class VectorHalves {
    private VectorHalves() {
    }

    public static long add(int size, long n, long m) {
        return LaneArithmetic.add(size, n, m);
    }

    public static long sub(int size, long n, long m) {
        return LaneArithmetic.sub(size, n, m);
    }

    public static long mul(int size, long n, long m) {
        long mask = Lanes.mask(size);
        if (size == 2) {
            return n * m & mask | (n >>> 32) * (m >>> 32) << 32;
        }
        long result = 0;
        for (int bit = 0; bit < 64; bit += 8 << size) {
            result |= ((n >>> bit) * (m >>> bit) & mask) << bit;
        }
        return result;
    }

    public static long cmgt(int size, long n, long m) {
        return ~LaneArithmetic.greaterEqual(size, m, n);
    }

    public static long cmge(int size, long n, long m) {
        return LaneArithmetic.greaterEqual(size, n, m);
    }

    public static long cmhi(int size, long n, long m) {
        return ~LaneArithmetic.higherSame(size, m, n);
    }

    public static long cmhs(int size, long n, long m) {
        return LaneArithmetic.higherSame(size, n, m);
    }

    public static long cmeq(int size, long n, long m) {
        return LaneArithmetic.isZero(size, n ^ m);
    }

    public static long cmtst(int size, long n, long m) {
        return ~LaneArithmetic.isZero(size, n & m);
    }

    public static long smax(int size, long n, long m) {
        return LaneArithmetic.maxS(size, n, m);
    }

    public static long umax(int size, long n, long m) {
        return LaneArithmetic.maxU(size, n, m);
    }

    public static long smin(int size, long n, long m) {
        return LaneArithmetic.minS(size, n, m);
    }

    public static long umin(int size, long n, long m) {
        return LaneArithmetic.minU(size, n, m);
    }

    /** SDOT: two sums of four products are added to the elements of {@code d}. */
    public static long sdot(long d, long n, long m) {
        long lessThan127 = n ^ 0x7F7F_7F7F_7F7F_7F7FL;
        long above128 = m ^ 0x8080_8080_8080_8080L;
        return (int) d - minusDotS((int) lessThan127, (int) above128) & 0xFFFF_FFFFL
                | (d >>> 32) - minusDotS((int) (lessThan127 >>> 32), (int) (above128 >>> 32)) << 32;
    }

    private static int minusDotS(int n, int m) {
        return minusPair(n, Integer.rotateLeft(m, 16)) + minusPair(n >>> 8, Integer.rotateLeft(m, 8));
    }

    /**
     * One multiplication for two products: {@code (-n0 - n2 * 2^16) * (m2 + m0 * 2^16)} has {@code -n0 * m0 - n2 * m2} at
     * 2^16, which fits 16 bits with its sign only when negated: -128 * -128 * 2 is 2^15. The term below is rounded away.
     */
    private static int minusPair(int n, int m) {
        return ((n & 0xFF_00FF) - 0x7F_007F) * ((m & 0xFF_00FF) - 0x80_0080) + 0x8000 >> 16;
    }

    /** UDOT. */
    public static long udot(long d, long n, long m) {
        return (int) d + dotU((int) n, (int) m) & 0xFFFF_FFFFL
                | (d >>> 32) + dotU((int) (n >>> 32), (int) (m >>> 32)) << 32;
    }

    private static long dotU(int n, int m) {
        return (n & 255) * (m & 255) + (n >> 8 & 255) * (m >> 8 & 255) + (n >> 16 & 255) * (m >> 16 & 255)
                + (n >>> 24) * (m >>> 24);
    }

    /** USHR by 1 to the element's width. */
    public static long ushr(int size, int shift, long n) {
        int width = 8 << size;
        if (shift == width) {
            return 0;
        }
        return n >>> shift & LaneArithmetic.replicate(size, Lanes.mask(size) >>> shift);
    }

    /** SSHR by 1 to the element's width. */
    public static long sshr(int size, int shift, long n) {
        int width = 8 << size;
        if (size == 3) {
            return n >> Math.min(shift, 63);
        }
        long mask = Lanes.mask(size);
        long result = 0;
        for (int bit = 0; bit < 64; bit += width) {
            result |= (n << 64 - width - bit >> 64 - width >> shift & mask) << bit;
        }
        return result;
    }

    /** SHL by 0 to less than the element's width. */
    public static long shl(int size, int shift, long n) {
        return n << shift & LaneArithmetic.replicate(size, Lanes.mask(size) << shift & Lanes.mask(size));
    }

    /** SHRN by 1 to the narrow element's width: {@code size} is the narrow one's. */
    public static long shrn(int size, int shift, long n0, long n1) {
        return Lanes.evens(size, n0 >>> shift, n1 >>> shift);
    }

    /**
     * REV16, REV32 and REV64: reverses the elements of {@code 1 << size} bytes in containers of
     * {@code 1 << container} bytes.
     */
    public static long reverse(int size, int container, long n) {
        long result = n;
        for (int log2 = size; log2 < container; log2++) {
            int width = 8 << log2;
            long even = log2 == 2 ? 0xFFFF_FFFFL : LaneArithmetic.replicate(log2 + 1, Lanes.mask(log2));
            result = (result & even) << width | result >>> width & even;
        }
        return result;
    }

    /** ADDP of the elements of {@code low}, then those of {@code high}; sizes up to 2. */
    public static long addp(int size, long low, long high) {
        return LaneArithmetic.add(size, Lanes.evens(size, low, high), odds(size, low, high));
    }

    /** UMAXP, as {@link #addp}. */
    public static long umaxp(int size, long low, long high) {
        return LaneArithmetic.maxU(size, Lanes.evens(size, low, high), odds(size, low, high));
    }

    /** UMINP, as {@link #addp}. */
    public static long uminp(int size, long low, long high) {
        return LaneArithmetic.minU(size, Lanes.evens(size, low, high), odds(size, low, high));
    }

    private static long odds(int size, long low, long high) {
        return Lanes.evens(size, low >>> (8 << size), high >>> (8 << size));
    }

    /** {@return the element repeated} */
    public static long replicate(int size, long element) {
        return LaneArithmetic.replicate(size, element);
    }
}
