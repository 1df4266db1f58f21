package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A loop of more instructions than a region holds is translated in parts, the later ones sooner than the first. */
class LongLoopTest {
    private static final long CODE = 0x10_000;
    private static final int ADD_X1_X1_1 = 0x9100_0421;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE = 0x5400_0001;
    private static final int HVC = 0xD400_0002;
    private static final int LENGTH = 4 * RegionFlow.MAX_INSTRUCTIONS;
    private static final int HOT = 200_000;

    @Test
    void whatATranslatedPartLeavesForIsTranslatedSooner() {
        int[] words = new int[LENGTH + 1];
        Arrays.fill(words, ADD_X1_X1_1);
        words[LENGTH - 2] = SUBS_X2_X2_1;
        words[LENGTH - 1] = B_NE | (1 - LENGTH & 0x7_FFFF) << 5;
        words[LENGTH] = HVC;
        Translator translator = new Translator(new Translator.Policy(HOT, 1_000, false, 0));
        try (FlatBoard board = new FlatBoard(2 << 20, 1, translator)) {
            board.code(CODE, words);
            int rounds = HOT / LENGTH * 8;
            board.cpu().x[2] = rounds;
            long before = board.cpu().s.retired;

            board.run(CODE, Long.MAX_VALUE);

            assertThat(board.cpu().x[1]).isEqualTo((LENGTH - 2L) * rounds);
            assertThat(board.cpu().s.retired - before).isEqualTo((long) LENGTH * rounds + 1);
            assertThat(translator.statistics().instructions()).as("instructions in regions")
                    .isGreaterThanOrEqualTo(LENGTH);
        }
    }
}
