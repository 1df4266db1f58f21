package gunyah.arm64.oracle;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** Random register states in which the values that matter (corners of every format, near misses) are frequent. */
final class RandomState {
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
    private static final int[] HALVES = {0, 0x8000, 0x7C00, 0xFC00, 0x7E00, 0xFE12, 0x7C01, 0xFD00, 1, 0x8001, 0x3FF,
        0x400, 0x8400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x3800, 0x4000, 0x3E00, 0x4500, 0x7800, 0x7801, 0x1400, 0x0C00,
        0x3555, 0x6400, 0x6C00, 0x77FF, 0x7FFF, 0xFFFF};
    private static final long[] CORNERS = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0x8000_0000L, 0x7FFF_FFFFL,
        0xFFFF_FFFFL, 0xFFFF_FFFF_8000_0000L, 0x1_0000_0000L, 31, 32, 63, 64};

    private final SplittableRandom random;

    RandomState(SplittableRandom random) {
        this.random = random;
    }

    /** Writes one state at the position of {@code states}. */
    void put(ByteBuffer states) {
        int at = states.position();
        for (int x = 0; x < 32; x++) {
            states.putLong(general());
        }
        states.putLong((long) random.nextInt(16) << 28);
        states.putLong(fpcr());
        states.putLong(random.nextInt(4) == 0 ? random.nextInt(32) | random.nextInt(2) << 7 | random.nextInt(2) << 27
                : random.nextInt(2) << 4);
        states.position(at + InstructionOracle.V);
        int flavour = random.nextInt(4);
        for (int half = 0; half < 62; half++) {
            states.putLong(half(flavour));
        }
        int v29 = at + InstructionOracle.V + 16 * 29;
        for (int half = 0; half < 16; half += 8) {
            states.putLong(addendNear(states.getLong(v29 + half), states.getLong(v29 + 16 + half), flavour));
        }
    }

    private long general() {
        return switch (random.nextInt(8)) {
            case 0, 1 -> CORNERS[random.nextInt(CORNERS.length)];
            case 2, 3 -> random.nextLong() >> random.nextInt(64);
            case 4 -> 1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    /** FPCR: mostly the default; else any of AHP, DN, FZ, RMode and FZ16. */
    private int fpcr() {
        return random.nextInt(2) == 0 ? 0 : random.nextInt(32) << 22 | random.nextInt(2) << 19;
    }

    private long half(int flavour) {
        if (flavour == 3) {
            return half16() | half16() << 16 | half16() << 32 | half16() << 48;
        }
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
            case 10 -> random.nextLong() & 0x0303_0303_0303_0303L | random.nextLong() & 0x8080_8080_8080_8080L;
            default -> near(WORDS64[random.nextInt(WORDS64.length)]);
        };
    }

    private long half16() {
        return 0xFFFF & switch (random.nextInt(4)) {
            case 0 -> random.nextInt();
            case 1 -> HALVES[random.nextInt(HALVES.length)];
            case 2 -> HALVES[random.nextInt(HALVES.length)] + random.nextInt(5) - 2;
            default -> random.nextInt() & 0x83FF | 15 + random.nextInt(16) - 8 << 10;
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

    /** A half whose values nearly cancel the products of {@code n} and {@code m}. */
    private long addendNear(long n, long m, int flavour) {
        int ulps = random.nextInt(3) - 1;
        if (flavour == 3) {
            long result = 0;
            for (int bit = 0; bit < 64; bit += 16) {
                float product = Float.float16ToFloat((short) (n >>> bit)) * Float.float16ToFloat((short) (m >>> bit));
                result |= (Float.floatToFloat16(-product) + ulps & 0xFFFFL) << bit;
            }
            return result;
        }
        if (random.nextBoolean()) {
            double product = Double.longBitsToDouble(n) * Double.longBitsToDouble(m);
            return Double.doubleToRawLongBits(random.nextBoolean() ? product : -product) + ulps;
        }
        float low = Float.intBitsToFloat((int) n) * Float.intBitsToFloat((int) m);
        float high = Float.intBitsToFloat((int) (n >>> 32)) * Float.intBitsToFloat((int) (m >>> 32));
        return Float.floatToRawIntBits(-low) + ulps & 0xFFFF_FFFFL | (long) Float.floatToRawIntBits(high) << 32;
    }
}
