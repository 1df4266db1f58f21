package gunyah.arm64.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.arm64.state.CpuFeatures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Which words are instructions, against objdump of binutils: half of the words are uniform, half are random words of a
 * random row. Properties: {@code gunyah.seed}; {@code gunyah.words} (default 400,000; the long run takes 5,000,000);
 * {@code gunyah.sweep} with {@code all} decodes all 2^32 words instead of every 4099th.
 */
@Tag("guest")
class DecoderAgreementTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20260720L);
    private static final int WORDS = Integer.getInteger("gunyah.words", 400_000);
    private static final int CHUNK = 100_000;

    /** What objdump knows and no CPU of ours has: mnemonics. SVE and SME have their own part of the space. */
    private static final String ABSENT = "udf|hlt|dcps[123]|drps|hvc|smc"
            // MTE
            + "|irg|gmi|subps?|addg|subg|st2?z?2?gm?|stgp?|stzgm|ldgm?|cmpp"
            // SM3, SM4
            + "|sm3.*|sm4.*"
            // FEAT_LS64, FEAT_TME, FEAT_WFxT, FEAT_MOPS, FEAT_HBC, FEAT_CSSC, FEAT_RCPC3, FEAT_LSE128, FEAT_THE, FEAT_D128
            + "|ld64b|st64b.*|tstart|tcommit|tcancel|ttest|wfet|wfit|cpy.*|setg?[pme].*|bc\\..*|abs|cnt|ctz|[su](max|min)"
            + "|ldiapp|stilp|ldap1|stl1|sysp|mrrs|msrr|(rcw|ldclrp|ldsetp|swpp).*"
            // FEAT_XS: DSB nXS
            + "|dsb";

    /** Where binutils 2.40 and we read the manual differently, and why we stay with it. */
    private static final Map<String, String> ACCEPTED = Map.of(
            "only objdump knows fml[as]l2?", "binutils ignores bit 22, which the manual fixes to 0 (C4.1.95, three same)",
            "only objdump knows m(rs|sr)", "binutils ignores bit 20: op0 is 2 or 3 for MRS and MSR (register) (C4.1.93)",
            "only we know LDAR.*", "binutils refuses other values in the should-be-one fields Rs and Rt2",
            "only we know LDPSW_.*", "binutils refuses equal registers: CONSTRAINED UNPREDICTABLE, not UNDEFINED (C6.2)");

    private final Decoder decoder = Decoder.of(CpuFeatures.MAX);
    private final Map<String, Integer> counts = new TreeMap<>();
    private final Map<String, String> first = new TreeMap<>();

    @Test
    void objdumpAgreesOnWhatIsAllocated() throws IOException, InterruptedException {
        if (!Objdump.isPresent()) {
            System.err.println("SKIPPED: the decoder was not compared, missing: " + Objdump.NAME);
        }
        assumeTrue(Objdump.isPresent(), "missing " + Objdump.NAME);
        SplittableRandom random = new SplittableRandom(SEED);
        InstructionRow[] rows = Decoder.rows().toArray(InstructionRow[]::new);

        for (int done = 0; done < WORDS; done += CHUNK) {
            compare(() -> {
                InstructionRow row = rows[random.nextInt(rows.length)];
                return random.nextBoolean() ? random.nextInt() : row.value() | random.nextInt() & ~row.mask();
            });
        }

        StringBuilder report = new StringBuilder();
        counts.forEach((what, count) -> report.append("%n%s: %d, first %s".formatted(what, count, first.get(what))));
        assertThat(counts.keySet()).as("seed %d%s", SEED, report).isEmpty();
    }

    @Test
    void everyWordIsClassified() {
        int step = "all".equals(System.getProperty("gunyah.sweep")) ? 1 : 4099;
        long allocated = 0;
        for (long word = 0; word <= 0xFFFF_FFFFL; word += step) {
            if (decoder.classify((int) word) != Decoder.UNALLOCATED) {
                allocated++;
            }
        }

        assertThat(allocated).isPositive();
        System.out.printf("%,d of %,d words are allocated%n", allocated, (1L << 32) / step);
    }

    private void compare(IntSupplier words) throws IOException, InterruptedException {
        ByteBuffer code = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < CHUNK; k++) {
            code.putInt(words.getAsInt());
        }
        Objdump.each(code, (at, text) -> note(code.getInt(at), text.split("\t")[0].strip(), text));
    }

    private void note(int word, String mnemonic, String line) {
        InstructionRow row = decoder.classify(word);
        boolean ours = row != Decoder.UNALLOCATED;
        boolean theirs = !mnemonic.equals(".inst") && !line.contains("undefined");
        int op0 = word >>> 25 & 15;
        boolean scalable = op0 == 2 || op0 == 0;
        if (ours != theirs && !(theirs && (scalable || mnemonic.matches(ABSENT)))) {
            String what = ours ? "only we know " + row.name() : "only objdump knows " + mnemonic;
            if (ACCEPTED.keySet().stream().anyMatch(what::matches)) {
                return;
            }
            counts.merge(what, 1, Integer::sum);
            first.putIfAbsent(what, line.strip());
        }
    }
}
