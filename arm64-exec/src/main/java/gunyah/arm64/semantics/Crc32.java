package gunyah.arm64.semantics;

/** The two reflected CRC-32 polynomials of FEAT_CRC32 (C6.2, CRC32B and CRC32CB), by byte table. */
final class Crc32 {
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

    /** {@return {@code accumulator} after the low {@code bytes} bytes of {@code value}, lowest first} */
    static int update(int[] table, int accumulator, long value, int bytes) {
        int crc = accumulator;
        for (int i = 0; i < bytes; i++) {
            crc = crc >>> 8 ^ table[(crc ^ (int) (value >>> 8 * i)) & 0xFF];
        }
        return crc;
    }
}
