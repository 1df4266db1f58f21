package gunyah.arm64.interp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.RegionGates;
import gunyah.arm64.translate.Translator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tiers that take turns at random do: regions are skipped, run to their end, and left early. */
class RandomTiersTest {
    private static final long CODE = 0x10_000;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_1 = 0x54FF_FFE1;
    private static final int HVC = 0xD400_0002;
    private static final int ROUNDS = 20_000;

    /** What it said before each entry: 0, all, or how many instructions. */
    private static List<Long> answers(long seed) {
        List<Long> answers = new ArrayList<>();
        RandomTiers tiers = new RandomTiers(seed);
        RegionGates recorded = cpu -> {
            RegionGate gate = tiers.of(cpu);
            return (region, end) -> {
                long limit = gate.limit(region, end);
                answers.add(limit == 0 ? 0 : limit == end ? Long.MAX_VALUE : limit - cpu.s.retired);
                return limit;
            };
        };
        try (FlatBoard board = new FlatBoard(2 << 20, 1,
                new Translator(Translator.Policy.EVERYTHING, null, recorded))) {
            board.code(CODE, SUBS_X2_X2_1, B_NE_BACK_1, HVC);
            for (int run = 0; run < 100; run++) {
                board.cpu().x[2] = ROUNDS;
                long before = board.cpu().s.retired;
                board.run(CODE, Long.MAX_VALUE);
                assertThat(board.cpu().s.retired - before).isEqualTo(2L * ROUNDS + 1);
            }
        }
        return answers;
    }

    @Test
    void regionsAreSkippedRunAndLeftEarly() {
        List<Long> answers = answers(1);

        assertThat(answers).contains(0L, Long.MAX_VALUE);
        assertThat(answers.stream().filter(each -> each > 0 && each < Long.MAX_VALUE).distinct().count())
                .as("different ends").isGreaterThan(10);
    }

    @Test
    void theSeedDecides() {
        assertThat(answers(2)).isEqualTo(answers(2)).isNotEqualTo(answers(3));
    }
}
