package gunyah.arm64.fp;

import static java.lang.Integer.rotateRight;

/**
 * Cryptographic operations that give one 64-bit half of a V register each, for both tiers: {@code half} is 0 or 1, and
 * constant in translated code, where both halves of one instruction share what they have in common (FIPS 180-4,
 * FIPS 197).
 * Each does what the row of that name does.
 */
public final class CryptoHalves {
    private static final byte[] SBOX = new byte[256];
    private static final byte[] INVERSE_SBOX = new byte[256];

    static {
        int power = 1;
        int inverse = 1;
        do {
            // 3 generates the field's products, 0xF6 is its inverse
            power = multiply(power, 3);
            inverse = multiply(inverse, 0xF6);
            substitution(power, inverse);
        } while (power != 1);
        substitution(0, 0);
    }

    private CryptoHalves() {
    }

    private static void substitution(int x, int inverse) {
        int rotations = inverse * 0x101;
        int s = 0x63 ^ inverse ^ rotations >> 4 ^ rotations >> 5 ^ rotations >> 6 ^ rotations >> 7;
        SBOX[x] = (byte) s;
        INVERSE_SBOX[s & 0xFF] = (byte) x;
    }

    /** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
    private static int multiply(int a, int b) {
        int product = 0;
        int shifted = a;
        for (int rest = b; rest != 0; rest >>= 1) {
            product ^= (rest & 1) * shifted;
            shifted = shifted << 1 ^ (shifted >> 7) * 0x11B;
        }
        return product;
    }

    // AES: bytes are at 4 * column + row

    /** AESE. */
    public static long aese(int half, long d0, long d1, long n0, long n1) {
        return substituted(d0 ^ n0, d1 ^ n1, SBOX, 1, 8 * half);
    }

    /** AESD. */
    public static long aesd(int half, long d0, long d1, long n0, long n1) {
        return substituted(d0 ^ n0, d1 ^ n1, INVERSE_SBOX, 3, 8 * half);
    }

    /** Each byte substituted and taken from {@code step} columns to the right per row. */
    private static long substituted(long low, long high, byte[] box, int step, int first) {
        long result = 0;
        for (int k = 0; k < 8; k++) {
            int from = first + k + 4 * step * (k & 3) & 15;
            long half = from < 8 ? low : high;
            result |= (box[(int) (half >>> 8 * (from & 7)) & 0xFF] & 0xFFL) << 8 * k;
        }
        return result;
    }

    /** AESMC, of two columns: each byte becomes 2 * itself + 3 * the next + the two others. */
    public static long aesmc(long n) {
        long twice = twice(n);
        return twice ^ nextRow(twice ^ n, 8) ^ nextRow(n, 16) ^ nextRow(n, 24);
    }

    /** AESIMC, of two columns: what AESMC makes of 5 * each byte + 4 * the one after the next. */
    public static long aesimc(long n) {
        return aesmc(n ^ twice(twice(n ^ nextRow(n, 16))));
    }

    private static long twice(long bytes) {
        return (bytes & 0x7F7F_7F7F_7F7F_7F7FL) << 1 ^ (bytes >>> 7 & 0x0101_0101_0101_0101L) * 0x1B;
    }

    /** Rotates both columns. */
    private static long nextRow(long columns, int bits) {
        long kept = (0xFFFF_FFFFL >>> bits) * 0x1_0000_0001L;
        return columns >>> bits & kept | columns << 32 - bits & ~kept;
    }

    /** PMULL of 64-bit polynomials. */
    public static long pmull(int half, long n, long m) {
        return half == 0 ? product(n, m) : Long.reverse(product(Long.reverse(n), Long.reverse(m))) >>> 1;
    }

    /** Bits 63:0 of the carryless product: carries of every fourth bit's product stay below the next such bit. */
    private static long product(long n, long m) {
        long n0 = n & 0x1111_1111_1111_1111L;
        long n1 = n & 0x2222_2222_2222_2222L;
        long n2 = n & 0x4444_4444_4444_4444L;
        long n3 = n & 0x8888_8888_8888_8888L;
        long m0 = m & 0x1111_1111_1111_1111L;
        long m1 = m & 0x2222_2222_2222_2222L;
        long m2 = m & 0x4444_4444_4444_4444L;
        long m3 = m & 0x8888_8888_8888_8888L;
        return (n0 * m0 ^ n1 * m3 ^ n2 * m2 ^ n3 * m1) & 0x1111_1111_1111_1111L
                | (n0 * m1 ^ n1 * m0 ^ n2 * m3 ^ n3 * m2) & 0x2222_2222_2222_2222L
                | (n0 * m2 ^ n1 * m1 ^ n2 * m0 ^ n3 * m3) & 0x4444_4444_4444_4444L
                | (n0 * m3 ^ n1 * m2 ^ n2 * m1 ^ n3 * m0) & 0x8888_8888_8888_8888L;
    }

    // SHA-256

    /** SHA256H: words a to d after four rounds; d0 and d1 hold a to d, n0 and n1 e to h. */
    public static long sha256h(int half, long d0, long d1, long n0, long n1, long m0, long m1) {
        return rounds(half == 0 ? 0 : 1, d0, d1, n0, n1, m0, m1);
    }

    /** SHA256H2: words e to h after four rounds; n0 and n1 hold a to d, d0 and d1 e to h. */
    public static long sha256h2(int half, long d0, long d1, long n0, long n1, long m0, long m1) {
        return rounds(half == 0 ? 2 : 3, n0, n1, d0, d1, m0, m1);
    }

    /** @param pair 0: a, b; 1: c, d; 2: e, f; 3: g, h */
    private static long rounds(int pair, long ab, long cd, long ef, long gh, long w01, long w23) {
        int a = (int) ab;
        int b = (int) (ab >>> 32);
        int c = (int) cd;
        int e = (int) ef;
        int f = (int) (ef >>> 32);
        int g = (int) gh;
        int t0 = (int) (gh >>> 32) + (int) w01 + sum1(e) + choose(e, f, g);
        int e1 = (int) (cd >>> 32) + t0;
        int a1 = t0 + sum0(a) + majority(a, b, c);
        int t1 = g + (int) (w01 >>> 32) + sum1(e1) + choose(e1, e, f);
        int e2 = c + t1;
        int a2 = t1 + sum0(a1) + majority(a1, a, b);
        int t2 = f + (int) w23 + sum1(e2) + choose(e2, e1, e);
        int e3 = b + t2;
        int a3 = t2 + sum0(a2) + majority(a2, a1, a);
        int t3 = e + (int) (w23 >>> 32) + sum1(e3) + choose(e3, e2, e1);
        return switch (pair) {
            case 0 -> words(t3 + sum0(a3) + majority(a3, a2, a1), a3);
            case 1 -> words(a2, a1);
            case 2 -> words(a + t3, e3);
            default -> words(e2, e1);
        };
    }

    private static long words(int low, int high) {
        return low & 0xFFFF_FFFFL | (long) high << 32;
    }

    private static int choose(int e, int f, int g) {
        return g ^ e & (f ^ g);
    }

    static int majority(int a, int b, int c) {
        return a & b | (a | b) & c;
    }

    private static int sum0(int a) {
        return rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
    }

    private static int sum1(int e) {
        return rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    }

    private static int small0(int x) {
        return rotateRight(x, 7) ^ rotateRight(x, 18) ^ x >>> 3;
    }

    private static int small1(int x) {
        return rotateRight(x, 17) ^ rotateRight(x, 19) ^ x >>> 10;
    }

    /** SHA256SU0. */
    public static long sha256su0(int half, long d0, long d1, long n0) {
        long first = half == 0 ? d0 : d1;
        int second = (int) (first >>> 32);
        return words((int) first + small0(second), second + small0((int) (half == 0 ? d1 : n0)));
    }

    /** SHA256SU1. */
    public static long sha256su1(int half, long d0, long d1, long n0, long n1, long m0, long m1) {
        int w0 = (int) d0 + (int) (n0 >>> 32) + small1((int) m1);
        int w1 = (int) (d0 >>> 32) + (int) n1 + small1((int) (m1 >>> 32));
        return half == 0 ? words(w0, w1)
                : words((int) d1 + (int) (n1 >>> 32) + small1(w0), (int) (d1 >>> 32) + (int) m0 + small1(w1));
    }
}
