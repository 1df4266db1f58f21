package gunyah.arm64.fp;

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
}
