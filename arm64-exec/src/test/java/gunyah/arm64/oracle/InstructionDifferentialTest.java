package gunyah.arm64.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.translate.Translator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every row of the table against QEMU: random legal words on random states must leave the same registers, flags,
 * memory, or take the same exception with the same syndrome. Properties: {@code gunyah.seed}; {@code gunyah.cases}
 * (all cases together, default 200,000); {@code gunyah.translated} (how many of them by translated code, too, default
 * 5,000); {@code gunyah.rows} (a pattern of row names).
 */
@Tag("guest")
class InstructionDifferentialTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20260720L);
    private static final int CASES = Integer.getInteger("gunyah.cases", 200_000);
    private static final int TRANSLATED = Integer.getInteger("gunyah.translated", 5_000);
    private static final String ONLY = System.getProperty("gunyah.rows", ".*");
    private static final int STATES = 1024;
    private static final int CHUNK = 50_000;

    /** Pointers without tags, with tags, with tags of data alone (TBI0, TBID0). */
    private static final long[] TCR_CHOICES = {0, 1L << 37, 1L << 37 | 1L << 51};

    /** They leave the processor, wait, or change what the next case runs under; other tests are about them. */
    static final Set<String> ELSEWHERE = Set.of("HVC", "SMC", "WFE", "WFI", "ERET", "ERETAA",
            "ERETAB", "SYS", "SYSL", "MSR_SPSel", "MSR_UAO", "MSR_PAN", "MSR_SSBS", "MSR_DIT", "MSR_DAIFSet", "MSR_DAIFClr");

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final Decoder decoder = Decoder.of(CpuFeatures.MAX);
    private final Map<String, Differences> differences = new TreeMap<>();
    private final Translator translator = new Translator(Translator.Policy.EVERYTHING);
    private final Set<String> translated = new TreeSet<>();
    private final SplittableRandom sample = new SplittableRandom(SEED);

    private final int[] accepted = new int[AcceptedDifference.values().length];

    private static final class Differences {
        int count;
        String first;
    }

    @Test
    void everyRowAgreesWithQemu() throws IOException {
        List<String> missing = InstructionOracle.missingTools();
        if (!missing.isEmpty()) {
            System.err.println("SKIPPED: no row was compared with QEMU, missing: " + missing);
        }
        assumeTrue(missing.isEmpty(), "missing " + missing);
        List<InstructionRow> rows = Decoder.rows().stream().filter(row -> row.name().matches(ONLY))
                .filter(row -> !ELSEWHERE.contains(row.name())).toList();

        keptCases();
        long done = 0;
        while (done < CASES) {
            done += chunk(rows, (int) (CASES - done));
        }

        System.out.printf("%,d cases of %d rows agree with QEMU but for %d rows, seed %d%n", done, rows.size(),
                differences.size(), SEED);
        System.out.printf("    of %d rows also by translated code%n", translated.size());
        for (AcceptedDifference difference : AcceptedDifference.values()) {
            System.out.printf("    %,d accepted: %s%n", accepted[difference.ordinal()], difference);
        }
        StringBuilder report = new StringBuilder();
        differences.forEach((name, found) -> report.append("%n%s: %d of about %d, first %s".formatted(name,
                found.count, CASES / rows.size(), found.first)));
        assertThat(differences.keySet()).as("seed %d%s", SEED, report).isEmpty();
        assertThat(translator.statistics().failures()).as("regions that do not load").isZero();
        assertThat(translated.size()).as("rows by translated code")
                .isGreaterThanOrEqualTo(Math.min(rows.size(), TRANSLATED) / 2);
    }

    private void keptCases() throws IOException {
        List<KeptCase> kept = KeptCase.all();
        ByteBuffer states = ByteBuffer.allocate(kept.size() * InstructionOracle.STATE_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        CaseGenerator generator = new CaseGenerator(random, decoder, kept.size(), false);
        List<Case> cases = new ArrayList<>();
        for (KeptCase one : kept) {
            states.put(one.state());
            cases.add(one.at(decoder, cases.size(), generator.address(one.word())));
        }
        byte[] memory = new byte[InstructionOracle.BUFFER_BYTES];
        new SplittableRandom(1).nextBytes(memory);
        run(cases, states, memory, 0);
    }

    private int chunk(List<InstructionRow> rows, int most) throws IOException {
        ByteBuffer states = ByteBuffer.allocate(STATES * InstructionOracle.STATE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        RandomState randomState = new RandomState(random);
        for (int state = 0; state < STATES; state++) {
            states.position(state * InstructionOracle.STATE_BYTES);
            randomState.put(states);
        }
        byte[] memory = new byte[InstructionOracle.BUFFER_BYTES];
        random.nextBytes(memory);
        long tcr = TCR_CHOICES[random.nextInt(TCR_CHOICES.length)];
        CaseGenerator generator = new CaseGenerator(random, decoder, STATES, tcr != 0);
        List<Case> cases = new ArrayList<>();
        int first = random.nextInt(rows.size());
        while (cases.size() < Math.min(most, CHUNK) && generator.hasRoom()) {
            cases.add(generator.next(rows.get((first + cases.size()) % rows.size())));
        }
        run(cases, states, memory, tcr);
        return cases.size();
    }

    private void run(List<Case> cases, ByteBuffer states, byte[] memory, long tcr) throws IOException {
        try (InstructionOracle oracle = InstructionOracle.start(cases, states, memory, tcr);
                ComparedCpu cpu = new ComparedCpu(CpuFeatures.MAX, cases, tcr, accepted)) {
            byte[] bytes = new byte[InstructionOracle.RESULT_BYTES];
            ByteBuffer expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            for (Case c : cases) {
                assertThat(oracle.next(bytes)).as("QEMU stopped at %s %08x, seed %d", c.row().name(), c.word(), SEED)
                        .isTrue();
                cpu.run(c, states, memory);
                String difference = cpu.difference(c, expected);
                Insn insn = decoder.decode(c.word());
                if (difference.isEmpty() && insn.op > Ops.CALL_BRANCH && !cpu.faulted()) {
                    cpu.runSemantics(c, insn, states, memory);
                    difference = cpu.difference(c, expected);
                }
                if (difference.isEmpty() && sample.nextInt(CASES) < TRANSLATED && insn.op != Ops.CALL_STACK) {
                    if (cpu.runTranslated(c, insn, translator, states, memory)) {
                        translated.add(c.row().name());
                    }
                    difference = cpu.difference(c, expected);
                    difference = difference.isEmpty() ? "" : "translated: " + difference;
                }
                if (!difference.isEmpty()) {
                    Differences found = differences.computeIfAbsent(c.row().name(), name -> new Differences());
                    if (found.count++ == 0) {
                        found.first = difference + KeptCase.describe(c, states);
                    }
                }
            }
        }
    }
}
