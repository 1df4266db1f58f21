package gunyah.arm64.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.arm64.Tier;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.translate.Translator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random programs against QEMU, by each tier: all must leave the same registers, flags
 * and memory, or take the same exception at the same instruction. Properties: {@code gunyah.programs} (default 200) and
 * {@code gunyah.seed}; program N of seed S is the first of seed S + N.
 */
@Tag("guest")
class ProgramDifferentialTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125L);
    private static final int PROGRAMS = Integer.getInteger("gunyah.programs", 200);
    private static final int CHUNK = 100;
    /** Their branches by register are executed in line. */
    private static final CpuFeatures WITHOUT_BRANCH_TYPES = new CpuFeatures(
            EnumSet.complementOf(EnumSet.of(CpuFeatures.Feature.BTI)));
    private static final long MOST_INSTRUCTIONS = 10_000_000;

    private final Decoder decoder = Decoder.of(CpuFeatures.MAX);
    private final List<String> differences = new ArrayList<>();
    private long executed;
    private int faulted;
    private int strayed;
    private int longOnes;
    private long regions;

    /** Programs one behind the other, their cases, and the states they begin with. */
    private record Chunk(List<Case> cases, List<Integer> starts, byte[] code, ByteBuffer states) {
        int words(Case c) {
            return (end(c) - starts.get(c.state())) / 4;
        }

        long address(Case c) {
            return InstructionOracle.SPARSE_CODE + starts.get(c.state());
        }

        byte[] program(Case c) {
            return Arrays.copyOfRange(code, starts.get(c.state()), end(c));
        }

        private int end(Case c) {
            return c.state() + 1 < starts.size() ? starts.get(c.state() + 1) : code.length;
        }
    }

    @Test
    void bothEnginesAgreeWithQemuOnRandomPrograms() throws IOException {
        List<String> missing = InstructionOracle.missingTools();
        if (!missing.isEmpty()) {
            System.err.println("SKIPPED: no program was compared with QEMU, missing: " + missing);
        }
        assumeTrue(missing.isEmpty(), "missing " + missing);

        for (int done = 0; done < PROGRAMS; done += CHUNK) {
            run(chunk(SEED + done, Math.min(CHUNK, PROGRAMS - done)), SEED + done,
                    done / CHUNK % 2 == 0 ? WITHOUT_BRANCH_TYPES : CpuFeatures.MAX);
        }

        System.out.printf("%,d random programs, %,d instructions, %,d programs of at least 1,000, %,d end with a "
                + "fault, %,d not compared, %,d regions translated, seed %d%n", PROGRAMS, executed, longOnes, faulted,
                strayed, regions, SEED);
        assertThat(differences).as("seed %d", SEED).isEmpty();
        assertThat(strayed).as("programs not compared").isLessThan(2 + PROGRAMS / 50);
        assertThat(longOnes).as("programs of at least 1,000 instructions").isGreaterThan(PROGRAMS * 3 / 4);
        assertThat(regions).as("regions").isGreaterThan(PROGRAMS);
    }

    private Chunk chunk(long seed, int count) {
        List<Case> cases = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        ByteBuffer code = ByteBuffer.allocate((int) (InstructionOracle.CODE_END - InstructionOracle.SPARSE_CODE))
                .order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer states = ByteBuffer.allocate(count * InstructionOracle.STATE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < count; k++) {
            SplittableRandom random = new SplittableRandom(seed + k);
            int[] program = new ProgramGenerator(random, decoder).next();
            states.position(k * InstructionOracle.STATE_BYTES);
            new RandomState(random).put(states);
            ProgramGenerator.fit(states, k * InstructionOracle.STATE_BYTES);
            long block = InstructionOracle.CODE + 16L * k;
            long start = InstructionOracle.SPARSE_CODE + code.position();
            starts.add(code.position());
            for (int word : program) {
                code.putInt(word);
            }
            code.putInt(branch(start + 4L * program.length, block + 8));
            cases.add(new Case(null, branch(block + 4, start), k, block, new long[0]));
        }
        return new Chunk(cases, starts, Arrays.copyOf(code.array(), code.position()), states);
    }

    private static int branch(long from, long to) {
        return 0x1400_0000 | (int) (to - from >> 2) & 0x3FF_FFFF;
    }

    private void run(Chunk chunk, long seed, CpuFeatures features) throws IOException {
        byte[] memory = new byte[InstructionOracle.BUFFER_BYTES];
        new SplittableRandom(seed).nextBytes(memory);
        byte[] bytes = new byte[InstructionOracle.RESULT_BYTES];
        ByteBuffer expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Map<Tier, Translator> translators = new EnumMap<>(Tier.class);
        Map<Tier, ComparedCpu> translated = new EnumMap<>(Tier.class);
        try (ComparedCpu interpreted = ComparedCpu.ofPrograms(features, null, chunk.cases, chunk.code, 0);
                InstructionOracle oracle = InstructionOracle.start(
                        chunk.cases.stream().map(c -> strays(interpreted, chunk, c, memory) ? skipped(c) : c).toList(),
                        chunk.code, chunk.states, memory, 0)) {
            for (Tier tier : EnumSet.complementOf(EnumSet.of(Tier.INTERPRETED))) {
                translators.put(tier, tier.translator());
                translated.put(tier, ComparedCpu.ofPrograms(features, translators.get(tier), chunk.cases,
                        chunk.code, 0));
            }
            for (Case c : chunk.cases) {
                assertThat(oracle.next(bytes)).as("QEMU ends program %d", seed + c.state()).isTrue();
                long count = run(interpreted, chunk, c, memory);
                if (interpreted.strayed()) {
                    strayed++;
                    continue;
                }
                executed += count;
                faulted += interpreted.faulted() ? 1 : 0;
                longOnes += count >= 1000 ? 1 : 0;
                compare(interpreted.programDifference(expected), "interpreter", chunk, c, seed);
                translated.forEach((tier, cpu) -> {
                    long again = run(cpu, chunk, c, memory);
                    String counts = count == again ? "" : again + " instructions, not " + count;
                    compare(cpu.programDifference(expected) + counts, tier.name(), chunk, c, seed);
                });
            }
        } finally {
            translated.values().forEach(ComparedCpu::close);
        }
        translators.forEach(Tier::check);
        regions += translators.get(Tier.TRANSLATED).statistics().regions();
    }

    private static long run(ComparedCpu cpu, Chunk chunk, Case c, byte[] memory) {
        return cpu.runProgram(c, chunk.address(c), chunk.program(c), chunk.states, memory, MOST_INSTRUCTIONS);
    }

    private static boolean strays(ComparedCpu cpu, Chunk chunk, Case c, byte[] memory) {
        run(cpu, chunk, c, memory);
        return cpu.strayed();
    }

    /** {@return a case of nothing: what changes its own code may never end on QEMU, which sees the change} */
    private static Case skipped(Case c) {
        return new Case(null, branch(0, 4), c.state(), c.address(), c.patches());
    }

    private void compare(String difference, String engine, Chunk chunk, Case c, long seed) {
        if (!difference.isEmpty()) {
            differences.add("%n%s, program of seed %d at 0x%x, %d words: %s".formatted(engine, seed + c.state(),
                    chunk.address(c), chunk.words(c), difference));
        }
    }
}
