package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import org.junit.jupiter.api.Test;

/** A region holds what its own jumps by register went to, and nothing that only jumps of other code did. */
class JumpTargetsTest {
    private static final long CODE = 0x10_000;
    /** Jumps by register to each of two cases in turn: x3 and x4. */
    private static final int[] SWITCH = {
        0xD61F_0060, // 0: br x3
        0xCA05_0063, // 1: eor x3, x3, x5
        0xF100_0442, // 2: subs x2, x2, #1
        0x54FF_FFA1, // 3: b.ne 0
        0xD400_0002, // 4: hvc #0
        0x17FF_FFFC, // 5: b 1
        0x9100_0421, // 6: add x1, x1, #1
        0x17FF_FFFA, // 7: b 1
    };
    /** Calls by register, the function at 12. */
    private static final int[] CALLER = {
        0xD63F_00C0, // 8: blr x6
        0xF100_0442, // 9: subs x2, x2, #1
        0x54FF_FFC1, // 10: b.ne 8
        0xD400_0002, // 11: hvc #0
        0x9100_0421, // 12: add x1, x1, #1
        0xD65F_03C0, // 13: ret
    };

    @Test
    void targetsBelongToTheJumpThatWentThere() {
        Translator translator = new Translator(new Translator.Policy(200, 1, false, 0));
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, SWITCH);
            board.code(CODE + 32, CALLER);
            board.cpu().x[2] = 200;
            board.cpu().x[3] = CODE + 20;
            board.cpu().x[5] = 20 ^ 24;
            board.cpu().x[6] = CODE + 48;
            board.run(CODE, Long.MAX_VALUE);
            assertThat(board.cpu().x[1]).isEqualTo(100);
            board.cpu().x[2] = 200;
            board.run(CODE + 32, Long.MAX_VALUE);
            assertThat(board.cpu().x[1]).isEqualTo(300);

            assertThat(slots(translator, board, 1, SWITCH[1])).contains(0, 5, 6, 7).doesNotContain(8, 12);
            assertThat(slots(translator, board, 9, CALLER[1])).contains(8, 10, 12, 13).doesNotContain(0, 5, 6);
        }
    }

    private static int[] slots(Translator translator, FlatBoard board, int slot, int word) {
        Region region = translator.find(board.cpu().mmu.hostForFetch(CODE), slot, word);
        return region.slots();
    }
}
