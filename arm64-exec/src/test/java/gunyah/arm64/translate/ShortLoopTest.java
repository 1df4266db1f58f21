package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.state.CpuExit;
import org.junit.jupiter.api.Test;

/** A short loop is written several times, and nobody can tell: it ends, stops and counts as if it were not. */
class ShortLoopTest {
    private static final long CODE = 0x10_000;
    private static final int ADD_X1_X1_1 = 0x9100_0421;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_2 = 0x54FF_FFC1;
    private static final int HVC = 0xD400_0002;

    @Test
    void everyNumberOfRoundsIsExact() {
        try (FlatBoard board = board(true)) {
            for (int rounds = 1; rounds < 40; rounds++) {
                long before = board.cpu().s.retired;
                board.cpu().x[1] = 0;
                board.cpu().x[2] = rounds;

                assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);

                assertThat(board.cpu().x[1]).isEqualTo(rounds);
                assertThat(board.cpu().s.retired - before).as("%d rounds", rounds).isEqualTo(3L * rounds + 1);
            }
        }
    }

    @Test
    void everyBudgetEndsWhereTheInterpreterDoes() {
        try (FlatBoard translated = board(true); FlatBoard interpreted = board(false)) {
            for (int budget = 1; budget < 200; budget++) {
                for (FlatBoard board : new FlatBoard[] {translated, interpreted}) {
                    board.cpu().x[1] = 0;
                    board.cpu().x[2] = 1_000;
                    long before = board.cpu().s.retired;
                    assertThat(board.run(CODE, budget)).isEqualTo(CpuExit.Kind.BUDGET);
                    assertThat(board.cpu().s.retired - before).isEqualTo(budget);
                }
                assertThat(translated.cpu().s.pc).as("budget %d", budget).isEqualTo(interpreted.cpu().s.pc);
                assertThat(translated.cpu().x).as("budget %d", budget).isEqualTo(interpreted.cpu().x);
                assertThat(translated.cpu().s.nzcv).as("budget %d", budget).isEqualTo(interpreted.cpu().s.nzcv);
            }
        }
    }

    private static FlatBoard board(boolean translate) {
        FlatBoard board = new FlatBoard(2 << 20, 1, translate ? new Translator(Translator.Policy.EVERYTHING) : null);
        board.code(CODE, ADD_X1_X1_1, SUBS_X2_X2_1, B_NE_BACK_2, HVC);
        board.cpu().x[2] = 100;
        board.run(CODE, Long.MAX_VALUE);
        return board;
    }
}
