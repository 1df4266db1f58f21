package gunyah.arm64.fp;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import java.util.SplittableRandom;

/** Seeded random instruction words and register states for the rows of this package. */
final class RandomCases {
    private static final long[] WORDS32 = {0, 0x8000_0000L, 0x7F80_0000L, 0xFF80_0000L, 0x7FC0_0000L, 0xFFC0_1234L,
        0x7F80_0001L, 0xFFA0_0000L, 1, 0x8000_0001L, 0x007F_FFFFL, 0x0080_0000L, 0x8080_0000L, 0x7F7F_FFFFL,
        0xFF7F_FFFFL, 0x3F80_0000L, 0xBF80_0000L, 0x3F00_0000L, 0x4000_0000L, 0x40A0_0000L, 0x3FC0_0000L,
        0x4F00_0000L, 0xCF00_0000L, 0x4F80_0000L, 0x5F00_0000L, 0x5F80_0000L, 0x3380_0000L, 0x4B80_0001L,
        0x7FFF_FFFFL, 0xFFFF_FFFFL, 0x3C00_7BFFL, 0xFC00_7E00L, 0x7D01_0001L, 0x03FF_0400L, 0x477F_F000L,
        0x3880_0000L, 0x3300_0000L, 0x7E80_0000L, 0x0000_0010L, 0xFF80_00FFL};
    private static final long[] WORDS64 = {0, 1L << 63, 0x7FF0_0000_0000_0000L, 0xFFF0_0000_0000_0000L,
        0x7FF8_0000_0000_0000L, 0xFFF8_0000_0123_4567L, 0x7FF0_0000_0000_0001L, 0xFFF4_0000_0000_0000L, 1,
        0x8000_0000_0000_0001L, 0x000F_FFFF_FFFF_FFFFL, 0x0010_0000_0000_0000L, 0x7FEF_FFFF_FFFF_FFFFL,
        0xFFEF_FFFF_FFFF_FFFFL, 0x3FF0_0000_0000_0000L, 0xBFF0_0000_0000_0000L, 0x3FE0_0000_0000_0000L,
        0x4000_0000_0000_0000L, 0x3FF8_0000_0000_0000L, 0x4004_0000_0000_0000L, 0x41E0_0000_0000_0000L,
        0xC1E0_0000_0000_0000L, 0x43E0_0000_0000_0000L, 0xC3E0_0000_0000_0000L, 0x43F0_0000_0000_0000L,
        0x41DF_FFFF_FFE0_0000L, 0x47EF_FFFF_F000_0000L, 0x3810_0000_0000_0000L, 0x36A0_0000_0000_0000L,
        0x40EF_FE00_0000_0000L, 0x3F10_0000_0000_0000L, 0x7FFF_FFFF_FFFF_FFFFL, -1};

    private static final int[] MASKS = FpRows.ROWS.stream().mapToInt(InstructionRow::mask).toArray();
    private static final int[] VALUES = FpRows.ROWS.stream().mapToInt(InstructionRow::value).toArray();

    private final SplittableRandom random;

    RandomCases(long seed) {
        random = new SplittableRandom(seed);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /** {@return the contents of one half of a V register} */
    long half() {
        return switch (random.nextInt(12)) {
            case 0, 1 -> random.nextLong();
            case 2, 3 -> WORDS64[random.nextInt(WORDS64.length)];
            case 4 -> word32() << 32 | word32();
            case 5 -> near32() << 32 | near32();
            case 6 -> Double.doubleToRawLongBits((random.nextInt(2000) - 1000) * Math.pow(2, random.nextInt(12) - 6));
            case 7 -> random.nextLong() & 0x800F_FFFF_FFFF_FFFFL | (long) (1023 + random.nextInt(140) - 70) << 52;
            case 8 -> random.nextLong() & 0xFFFF_FFFF_0000_0000L << random.nextInt(20) & 0x801F_FFFF_FFFF_FFFFL
                    | 0x3FEL << 52;
            case 9 -> random.nextLong() & 0x80FF_FF00_80FF_FF00L << random.nextInt(8) | 0x3F80_0000_3F00_0000L;
            case 10 -> random.nextLong() & 0x0303_0303_0303_0303L | (random.nextLong() & 0x8080_8080_8080_8080L);
            default -> near(WORDS64[random.nextInt(WORDS64.length)]);
        };
    }

    private long near(long value) {
        return value + random.nextInt(9) - 4;
    }

    private long word32() {
        return WORDS32[random.nextInt(WORDS32.length)];
    }

    private long near32() {
        int kind = random.nextInt(3);
        float value = (random.nextInt(2000) - 1000) * (float) Math.pow(2, random.nextInt(12) - 6);
        return 0xFFFF_FFFFL & (kind == 0 ? Float.floatToRawIntBits(value) : kind == 1
                ? random.nextInt() & 0x807F_FFFF | 127 + random.nextInt(60) - 30 << 23 : near(word32()));
    }

    /** {@return FPCR: mostly the default; else any of AHP, DN, FZ and RMode} */
    int fpcr() {
        return random.nextInt(2) == 0 ? 0 : random.nextInt(32) << 22;
    }

    /** {@return general register {@code number}: 0..15 point into the buffer, 16..27 are offsets} */
    long general(int number) {
        int small = random.nextInt(16);
        return switch (number >> 2) {
            case 0, 1, 2, 3 -> QemuOracle.BUFFER + 128 + random.nextInt(128);
            case 4 -> small;
            case 5 -> -1 - (small & 7);
            default -> random.nextLong() << 32 | small;
        };
    }

    /** {@return a word of {@code row} that is not reserved and belongs to no more specific row} */
    int word(InstructionRow row, int caseNumber) {
        int mask = row.mask();
        int value = row.value();
        for (int tries = 0; tries < 10_000; tries++) {
            int word = constrain(row, value | random.nextInt() & ~mask, caseNumber);
            if (match(word) == row && row.fields().decode(new Insn(word, row))) {
                return word;
            }
        }
        throw new IllegalStateException("no allocated word for " + row.name());
    }

    /** {@return the most specific row of the table that matches, or null} */
    static InstructionRow match(int word) {
        int best = -1;
        for (int k = 0; k < MASKS.length; k++) {
            if ((word & MASKS[k]) == VALUES[k]
                    && (best < 0 || Integer.bitCount(MASKS[k]) > Integer.bitCount(MASKS[best]))) {
                best = k;
            }
        }
        return best < 0 ? null : FpRows.ROWS.get(best);
    }

    private int constrain(InstructionRow row, int word, int caseNumber) {
        String pattern = row.pattern();
        int result = word;
        boolean memory = pattern.contains("ttttt");
        for (char letter : new char[] {'N', 'D', 'M'}) {
            int low = 31 - pattern.lastIndexOf(letter);
            if (low < 32) {
                int register = random.nextInt(29);
                result = put(result, low, 5, register == 28 ? 31 : register);
            }
        }
        if (row.name().matches("FN?M[AL][DSA].*|FML[AS].*") && random.nextInt(4) == 0) {
            return cancelling(pattern, result);
        }
        if (!memory) {
            return result;
        }
        if (pattern.contains("NNNNN")) {
            int base = random.nextInt(17);
            result = put(result, 5, 5, base == 16 ? 31 : base);
        }
        if (row.name().contains("_reg_")) {
            return put(result, 16, 5, index(result >>> 13 & 7));
        }
        int first = pattern.indexOf('i');
        int width = first < 0 ? 0 : pattern.lastIndexOf('i') - first + 1;
        int low = 31 - pattern.lastIndexOf('i');
        return switch (width) {
            case 7, 12 -> put(result, low, width, width == 12 ? random.nextInt(7) : random.nextInt(13) - 6);
            case 9 -> put(result, low, width, random.nextInt(201) - 100);
            case 19 -> put(result, low, width, -random.nextInt(Math.min(2 * caseNumber + 1, 200)));
            default -> result;
        };
    }

    /** V29 * V30 with an addend V31 that is near the negated product; see {@link #addendNear}. */
    private static int cancelling(String pattern, int word) {
        int result = put(put(word, 5, 5, 29), 16, pattern.contains("mmmmm") ? 5 : 4, 30);
        return pattern.contains("aaaaa") ? put(result, 10, 5, 31) : put(result, 0, 5, 31);
    }

    /** {@return a half whose values, of either precision, nearly cancel the products of {@code n} and {@code m}} */
    long addendNear(long n, long m) {
        int ulps = random.nextInt(3) - 1;
        if (random.nextBoolean()) {
            double product = Double.longBitsToDouble(n) * Double.longBitsToDouble(m);
            return Double.doubleToRawLongBits(random.nextBoolean() ? product : -product) + ulps;
        }
        float low = Float.intBitsToFloat((int) n) * Float.intBitsToFloat((int) m);
        float high = Float.intBitsToFloat((int) (n >>> 32)) * Float.intBitsToFloat((int) (m >>> 32));
        return Float.floatToRawIntBits(-low) + ulps & 0xFFFF_FFFFL | (long) Float.floatToRawIntBits(high) << 32;
    }

    private int index(int option) {
        int choice = random.nextInt(8);
        return switch (option) {
            case 2 -> choice < 4 ? 16 + choice : 20 + choice;
            case 6 -> 16 + random.nextInt(12);
            default -> 16 + choice;
        };
    }

    private static int put(int word, int low, int width, int value) {
        int mask = (1 << width) - 1;
        return word & ~(mask << low) | (value & mask) << low;
    }
}
