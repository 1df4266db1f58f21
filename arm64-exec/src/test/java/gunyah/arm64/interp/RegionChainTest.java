package gunyah.arm64.interp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.Translator;
import org.junit.jupiter.api.Test;

/** Translated code goes on in translated code of other pages without the interpreter. */
class RegionChainTest {
    private static final long CODE = 0x10_000;
    private static final int PAGE = 0x1000;
    private static final int ADD_X1_X1_1 = 0x9100_0421;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_EQ_FORWARD_2 = 0x5400_0040;
    private static final int B = 0x1400_0000;
    private static final int HVC = 0xD400_0002;
    private static final int ROUNDS = 1_000;

    /** Counts how often the interpreter takes over. */
    private static final class Counter implements RegionGate {
        private int runs;
        private int left;

        @Override
        public long limit(Region region, long end) {
            runs++;
            return end;
        }

        @Override
        public void left() {
            left++;
        }
    }

    @Test
    void twoPagesThatJumpToEachOtherAtTheSameOffset() {
        Counter counter = new Counter();
        Translator translator = new Translator(Translator.Policy.EVERYTHING, null, cpu -> counter);
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, ADD_X1_X1_1, B | PAGE / 4 - 1);
            board.code(CODE + PAGE, SUBS_X2_X2_1, B_EQ_FORWARD_2, B | -PAGE / 4 - 2 & 0x3FF_FFFF, HVC);
            board.cpu().x[2] = ROUNDS;
            board.run(CODE, Long.MAX_VALUE);

            assertThat(board.cpu().x[1]).isEqualTo(ROUNDS);
            assertThat(counter.runs).isGreaterThan(2 * ROUNDS - 10);
            assertThat(counter.left).isLessThan(10);
        }
    }
}
