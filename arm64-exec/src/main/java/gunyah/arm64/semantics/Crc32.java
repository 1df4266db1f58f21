package gunyah.arm64.semantics;

/** The two reflected CRC-32 polynomials of FEAT_CRC32 (C6.2, CRC32B and CRC32CB), by byte table. */
public final class Crc32 {
    static final int[] IEEE = table(0xEDB8_8320);
    static final int[] CASTAGNOLI = table(0x82F6_3B78);

    private Crc32() {
    }

    private static int[] table(int reflectedPolynomial) {
        int[] table = new int[256];
        for (int i = 0; i < 256; i++) {
            int remainder = i;
            for (int bit = 0; bit < 8; bit++) {
                remainder = remainder >>> 1 ^ ((remainder & 1) != 0 ? reflectedPolynomial : 0);
            }
            table[i] = remainder;
        }
        return table;
    }

    private static final int[] IEEE_8 = slices(IEEE);
    private static final int[] CASTAGNOLI_8 = slices(CASTAGNOLI);

    /** Table i (256 entries from 256 i on) is for a byte with i bytes behind it. */
    private static int[] slices(int[] table) {
        int[] slices = java.util.Arrays.copyOf(table, 8 * 256);
        for (int i = 256; i < slices.length; i++) {
            slices[i] = slices[i - 256] >>> 8 ^ table[slices[i - 256] & 0xFF];
        }
        return slices;
    }

    private static int slice(int[] slices, int table, int bytes, int shift) {
        return slices[table * 256 + (bytes >>> shift & 0xFF)];
    }

    private static int update32(int[] slices, int x) {
        return slice(slices, 3, x, 0) ^ slice(slices, 2, x, 8) ^ slice(slices, 1, x, 16) ^ slice(slices, 0, x, 24);
    }

    private static int update64(int[] slices, int accumulator, long value) {
        int low = accumulator ^ (int) value;
        int high = (int) (value >>> 32);
        return slice(slices, 7, low, 0) ^ slice(slices, 6, low, 8) ^ slice(slices, 5, low, 16)
                ^ slice(slices, 4, low, 24) ^ update32(slices, high);
    }

    public static int ieee8(int accumulator, long value) {
        return update(IEEE, accumulator, value, 1);
    }

    public static int ieee16(int accumulator, long value) {
        return update(IEEE, accumulator, value, 2);
    }

    public static int ieee32(int accumulator, long value) {
        return update32(IEEE_8, accumulator ^ (int) value);
    }

    public static int ieee64(int accumulator, long value) {
        return update64(IEEE_8, accumulator, value);
    }

    public static int castagnoli8(int accumulator, long value) {
        return update(CASTAGNOLI, accumulator, value, 1);
    }

    public static int castagnoli16(int accumulator, long value) {
        return update(CASTAGNOLI, accumulator, value, 2);
    }

    public static int castagnoli32(int accumulator, long value) {
        return update32(CASTAGNOLI_8, accumulator ^ (int) value);
    }

    public static int castagnoli64(int accumulator, long value) {
        return update64(CASTAGNOLI_8, accumulator, value);
    }

    /** {@return {@code accumulator} after the low {@code bytes} bytes of {@code value}, lowest first} */
    static int update(int[] table, int accumulator, long value, int bytes) {
        int crc = accumulator;
        for (int i = 0; i < bytes; i++) {
            crc = crc >>> 8 ^ table[(crc ^ (int) (value >>> 8 * i)) & 0xFF];
        }
        return crc;
    }
}
