package gunyah.arm64.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.translate.Translator;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each {@link Shape} on CPUs of one domain, each on a thread of its own, by each tier; those of two threads also on
 * four CPUs, two pairs at once, and those of exclusives and atomics also on CPUs of several VMs that share the memory:
 * the forbidden outcome must not come. The CPUs walk a batch of location pairs and meet at each, for as long as a
 * number that a seed chooses. {@code -Dlitmus.iterations=N} (1,000,000 in the long run), {@code -Dlitmus.seed=S},
 * {@code -Dlitmus.shapes=PATTERN}, {@code -Dlitmus.tiers=PATTERN}, {@code -Dlitmus.on=PATTERN}.
 */
@Tag("guest")
class LitmusTest {
    private static final long ITERATIONS = Long.getLong("litmus.iterations", 4_096);
    private static final String SHAPES = System.getProperty("litmus.shapes", ".*");
    private static final String TIERS = System.getProperty("litmus.tiers", ".*");
    private static final String PLACES = System.getProperty("litmus.on", ".*");
    private static final long SEED = Long.getLong("litmus.seed", 20_261_126);
    /** Location pairs of a batch: X at the start of 128 bytes, Y in their second half, so in another cache line. */
    private static final int BATCH = 4096;
    private static final int STRIDE = 128;
    private static final long CODE = 0x1_0000;
    private static final long LOCATIONS = 0x10_0000;
    private static final long MEETINGS = 0x18_0000;
    private static final long RESULTS = 0x20_0000;
    private static final long RESULTS_OF_ONE = 0x2_0000;
    /** From the locations of a group of CPUs to those of the next, which executes the same. */
    private static final long NEXT_GROUP = 0x20_0000;
    private static final long RAM = 8 << 20;
    private static final int HVC = 0xD400_0002;

    /** Where a shape runs. */
    private enum Place {
        ONE_VM, FOUR_CPUS, VMS;

        boolean takes(Shape shape, Tier tier) {
            return switch (this) {
                case ONE_VM -> true;
                case FOUR_CPUS -> shape.threads().size() == 2 && tier.compareTo(Tier.TRANSLATED) <= 0;
                case VMS -> shape.isOfAtomics() && tier == Tier.TRANSLATED;
            };
        }
    }

    static Stream<Arguments> shapes() {
        List<Arguments> all = new ArrayList<>();
        for (Place place : Place.values()) {
            for (Tier tier : Tier.values()) {
                if (place.name().matches(PLACES) && tier.name().matches(TIERS)) {
                    Shape.all().stream().filter(shape -> shape.name().matches(SHAPES) && place.takes(shape, tier))
                            .forEach(shape -> all.add(Arguments.of(shape, tier, place)));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("shapes")
    void theForbiddenOutcomeDoesNotCome(Shape shape, Tier tier, Place place) throws Exception {
        int threads = shape.threads().size();
        int cpus = place == Place.FOUR_CPUS ? 2 * threads : threads;
        Translator translator = tier.translator();
        Random random = new Random(SEED);
        byte[] locations = locations(shape.code());
        // more than it takes others to get a processor of this computer again, or they seldom meet
        int turns = (tier == Tier.INTERPRETED ? 1 : 10) * (cpus == 2 ? 400 : 100);
        try (FlatBoard board = place == Place.VMS ? FlatBoard.ofVms(RAM, cpus, translator)
                : new FlatBoard(RAM, cpus, translator);
                ExecutorService pool = Executors.newFixedThreadPool(cpus)) {
            for (int c = 0; c < cpus; c++) {
                board.code(CODE + 0x1000 * c, program(shape.threads().get(c % threads)));
            }
            for (long done = 0; done < ITERATIONS; done += BATCH) {
                for (long group = 0; group < cpus / threads * NEXT_GROUP; group += NEXT_GROUP) {
                    board.memory.write(LOCATIONS + group, locations, 0, BATCH * STRIDE);
                    board.memory.write(MEETINGS + group, new byte[BATCH * STRIDE], 0, BATCH * STRIDE);
                }
                if (shape.code().length > 0) {
                    board.domain.invalidateAllCode();
                }
                runBatch(board, pool, threads, turns, random);
                for (long group = 0; group < cpus / threads * NEXT_GROUP; group += NEXT_GROUP) {
                    check(board, shape, group, done);
                }
            }
        }
        if (ITERATIONS > 100_000) {
            System.out.printf("%s, %s, %s: %,d iterations, seed %d%n", shape, tier, place, ITERATIONS, SEED);
        }
    }

    private static byte[] locations(int[] code) {
        ByteBuffer locations = ByteBuffer.allocate(BATCH * STRIDE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < BATCH; i++) {
            locations.position(STRIDE * i);
            for (int word : code) {
                locations.putInt(word);
            }
        }
        return locations.array();
    }

    private static void runBatch(FlatBoard board, ExecutorService pool, int threads, int turns, Random random)
            throws Exception {
        List<Callable<CpuExit.Kind>> jobs = new ArrayList<>();
        for (int c = 0; c < board.cpus.size(); c++) {
            Cpu cpu = board.cpus.get(c);
            long group = c / threads * NEXT_GROUP;
            cpu.s.pc = CODE + 0x1000 * c;
            cpu.x[Code.X] = LOCATIONS + group;
            cpu.x[1] = RESULTS + group + RESULTS_OF_ONE * (c % threads);
            cpu.x[2] = BATCH;
            cpu.x[3] = MEETINGS + group;
            cpu.x[4] = threads;
            cpu.x[Code.ONE] = 1;
            cpu.x[Code.TWO] = 2;
            cpu.x[16] = random.nextLong() | 1;
            cpu.x[8] = turns + random.nextInt(100);
            jobs.add(() -> cpu.run(Long.MAX_VALUE));
        }
        for (Future<CpuExit.Kind> result : pool.invokeAll(jobs)) {
            assertThat(result.get(60, TimeUnit.SECONDS)).isEqualTo(CpuExit.Kind.HYPERCALL);
        }
    }

    /** At each pair: meets the others (or gives them up: not all may have a CPU), then runs {@code body}. */
    private static int[] program(int[] body) {
        return Code.of(new int[] {
                0x9101_0005, // add x5, x0, #64         the loop begins
                0xAA00_03E9, // mov x9, x0
                0xAA1F_03EA, // mov x10, xzr
                0xAA1F_03EB, // mov x11, xzr
                0xAA08_03EF, // mov x15, x8
                0xF8E6_006C, // ldaddal x6, x12, [x3]
                0xC8DF_FC6C, // ldar x12, [x3]
                0xD100_05EF, // sub x15, x15, #1
                0xB400_006F, // cbz x15, past the branch
                0xEB04_019F, // cmp x12, x4
                0x54FF_FF83, // b.lo back to the ldar
                0x9102_0063, // add x3, x3, #128
                0x9B10_7C4C, // mul x12, x2, x16        waits up to 255 turns, another time at each pair
                0xD354_6D8C, // ubfx x12, x12, #20, #8
                0xF100_058C, // subs x12, x12, #1
                0x54FF_FFE5}, // b.pl back to the subs
                body, new int[] {
                0xA881_2C2A, // stp x10, x11, [x1], #16
                0x9102_0000, // add x0, x0, #128
                0xF100_0442, // subs x2, x2, #1
                0x5400_0001 | (-(body.length + 19) & 0x7_FFFF) << 5, // b.ne loop
                HVC});
    }

    private static void check(FlatBoard board, Shape shape, long group, long done) {
        int threads = shape.threads().size();
        ByteBuffer locations = read(board, LOCATIONS + group, BATCH * STRIDE);
        ByteBuffer results = read(board, RESULTS + group, (int) RESULTS_OF_ONE * threads);
        long[][] seen = new long[threads][2];
        for (int i = 0; i < BATCH; i++) {
            for (int t = 0; t < threads; t++) {
                seen[t][0] = results.getLong((int) RESULTS_OF_ONE * t + 16 * i);
                seen[t][1] = results.getLong((int) RESULTS_OF_ONE * t + 16 * i + 8);
            }
            long x = locations.getLong(STRIDE * i);
            long y = locations.getLong(STRIDE * i + 64);
            if (shape.forbidden().is(seen, x, y)) {
                assertThat(seen).as("%s: iteration %d of seed %d, X = %d, Y = %d", shape, done + i, SEED, x, y)
                        .isNull();
            }
        }
    }

    private static ByteBuffer read(FlatBoard board, long at, int bytes) {
        byte[] content = new byte[bytes];
        board.memory.read(at, content, 0, bytes);
        return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    }
}
