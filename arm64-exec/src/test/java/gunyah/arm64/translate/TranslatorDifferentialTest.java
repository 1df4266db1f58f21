package gunyah.arm64.translate;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each tier executes the same random programs in steps of random length as the interpreter, and agrees on all registers,
 * flags, memory and the count after every step. The translator makes everything that is jumped to twice. {@code -Dtranslate.programs=N}
 * and {@code -Dtranslate.seed=S} choose how many and which.
 */
class TranslatorDifferentialTest {
    private static final int PROGRAMS = Integer.getInteger("translate.programs", 300);
    private static final long SEED = Long.getLong("translate.seed", 20_261_125);
    private static final int STEPS = 60;
    private static final long RAM = 2 << 20;
    private static final long CODE = 0x10_000;
    private static final long VECTORS = 0x8000;
    private static final long DATA = 0x10_0000;
    private static final int DATA_SIZE = 0x20_000;
    private static final long[] SPECIAL = {0, Long.MIN_VALUE, 0x7FF0_0000_0000_0000L, 0x7FF8_0000_0000_0000L,
        0x7FF0_0000_0000_0001L, 1, 0x000F_FFFF_FFFF_FFFFL, 0x0010_0000_0000_0000L, 0x7FEF_FFFF_FFFF_FFFFL, 0x7F80_0000L,
        0x7F80_0001_7FC0_0000L, 0x0000_0001_8000_0000L, 0x007F_FFFF_0080_0000L, 0x7F7F_FFFF_3F80_0000L,
        0xC3E0_0000_0000_0000L, 0x43E0_0000_0000_0000L, 0x41DF_FFFF_FFE0_0000L, 0xC1E0_0000_0010_0000L};
    private static final int SCTLR = key(3, 0, 1, 0, 0);
    private static final int VBAR = key(3, 0, 12, 0, 0);

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "INTERPRETED")
    void bothTiersAgreeOnRandomPrograms(Tier tier) {
        agree(tier, false);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "INTERPRETED")
    void bothTiersAgreeOnRandomFloatingPointAndVectorPrograms(Tier tier) {
        agree(tier, true);
    }

    private static void agree(Tier tier, boolean vectors) {
        RandomGenerator seeds = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
        long regions = 0;
        int programs = tier == Tier.TRANSLATED ? PROGRAMS : PROGRAMS / 3;
        for (int program = 0; program < programs; program++) {
            regions += compare(tier, seeds.nextLong(), program, vectors);
        }
        assertThat(regions).as("regions made").isGreaterThan(programs);
    }

    private static long compare(Tier tier, long seed, int program, boolean vectors) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        int[] words = new RandomProgram(random, vectors).words(2 + random.nextInt(60));
        Translator translator = tier.translator();
        try (FlatBoard interpreted = new FlatBoard(RAM, 1); FlatBoard translated = new FlatBoard(RAM, 1, translator)) {
            byte[] data = new byte[DATA_SIZE];
            random.nextBytes(data);
            long[] registers = random.longs(32).toArray();
            prepare(interpreted, words, data, registers);
            prepare(translated, words, data, registers);
            if (vectors) {
                long modeSeed = random.nextLong();
                prepareVectors(interpreted.cpu(), modeSeed);
                prepareVectors(translated.cpu(), modeSeed);
            }
            List<String> path = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                long budget = 1 + random.nextInt(1 << random.nextInt(1, 12));
                CpuExit.Kind expected = interpreted.cpu().run(budget);
                CpuExit.Kind actual = translated.cpu().run(budget);
                path.add("%d instructions to 0x%x: %s".formatted(budget, interpreted.cpu().s.pc, expected));
                String where = "program %d of seed %d, program seed %d, step %d:%n%s%n%s".formatted(program, SEED, seed,
                        step, String.join("\n", path), listing(words));
                assertThat(actual).as(where).isEqualTo(expected);
                assertThat(state(translated)).as(where).isEqualTo(state(interpreted));
                if (expected != CpuExit.Kind.BUDGET) {
                    break;
                }
            }
        }
        tier.agrees(translator);
        return translator.statistics().regions();
    }

    private static void prepare(FlatBoard board, int[] words, byte[] data, long[] registers) {
        board.code(CODE, words);
        board.memory.write(DATA, data, 0, data.length);
        for (long vector = 0; vector < 0x800; vector += 0x80) {
            board.code(VECTORS + vector, RandomProgram.HANDLER);
        }
        Cpu cpu = board.cpu();
        System.arraycopy(registers, 0, cpu.x, 0, 26);
        cpu.x[27] = registers[27] & 0x1FF8;
        cpu.x[28] = DATA + DATA_SIZE / 2;
        cpu.x[30] = CODE;
        cpu.x[31] = DATA + (registers[31] & 0xFFF0);
        cpu.sys.write(VBAR, VECTORS);
        if ((registers[31] >>> 60 & 3) != 0) {
            // mostly SP may be anything; else many programs would soon do little but fault
            cpu.sys.write(SCTLR, cpu.sys.read(SCTLR) & ~8L);
        }
        cpu.s.pc = CODE;
    }

    /** Numbers near each other, so that sums are of many kinds, specials, and noise; mostly in the usual mode. */
    private static void prepareVectors(Cpu cpu, long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        for (int i = 0; i < 64; i++) {
            cpu.v[i] = switch (random.nextInt(6)) {
                case 0, 1 -> Double.doubleToRawLongBits((random.nextInt(4096) - 2048) * 0.37);
                case 2 -> Float.floatToRawIntBits(random.nextFloat() - 0.5f) & 0xFFFF_FFFFL
                        | (long) Float.floatToRawIntBits(random.nextFloat() * 1000) << 32;
                case 3 -> SPECIAL[random.nextInt(SPECIAL.length)];
                case 4 -> random.nextInt(16);
                default -> random.nextLong();
            };
        }
        cpu.s.fpsr = random.nextInt(4) == 0 ? 0 : 1 << 4;
        cpu.s.fpcr = random.nextInt(4) == 0 ? random.nextInt() & 0x07C0_0000 : 0;
    }

    private static String state(FlatBoard board) {
        Cpu cpu = board.cpu();
        byte[] data = new byte[DATA_SIZE];
        board.memory.read(DATA, data, 0, data.length);
        StringBuilder text = new StringBuilder("pc 0x%x nzcv 0x%x retired %d data 0x%x".formatted(cpu.s.pc, cpu.s.nzcv,
                cpu.s.retired, Arrays.hashCode(data)));
        for (int i = 0; i < 32; i++) {
            text.append(" x%d 0x%x".formatted(i, cpu.x[i]));
        }
        for (int i = 0; i < 32; i++) {
            text.append(" v%d 0x%x:%x".formatted(i, cpu.v[2 * i + 1], cpu.v[2 * i]));
        }
        text.append(" fpsr 0x%x fpcr 0x%x".formatted(cpu.s.fpsr, cpu.s.fpcr));
        return text.toString();
    }

    private static String listing(int[] words) {
        Decoder decoder = Decoder.of(CpuFeatures.DEFAULT);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words.length; i++) {
            text.append("0x%x %08x %s%n".formatted(CODE + 4 * i, words[i], decoder.decode(words[i]).row.name()));
        }
        return text.toString();
    }
}
