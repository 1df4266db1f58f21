package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.state.CpuExit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Translated code follows what the guest, or the owner of its memory, makes of the code it came from. */
class RegionInvalidationTest {
    private static final long CODE = 0x10_000;
    private static final int MOV_X0_1 = 0xD280_0020;
    private static final int MOV_X0_2 = 0xD280_0040;
    private static final int ADD_X1_X1_X0 = 0x8B00_0021;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_3 = 0x54FF_FFA1;
    private static final int HVC = 0xD400_0002;
    private static final int STR_W3_X4 = 0xB900_0083;
    private static final int IC_IVAU_X4 = 0xD50B_7524;
    private static final int DSB_ISH = 0xD503_3B9F;
    private static final int ISB = 0xD503_3FDF;
    private static final int B_BACK_10 = 0x17FF_FFF6;

    private final Translator translator = new Translator(Translator.Policy.EVERYTHING);
    private FlatBoard board;

    @BeforeEach
    void start() {
        board = new FlatBoard(2 << 20, 1, translator);
    }

    @AfterEach
    void stop() {
        board.close();
    }

    @Test
    void codeThatTheGuestPatchesIsTranslatedAnew() {
        // x1 += 1, x2 times; then the MOV becomes x0 = 2 and the loop runs again
        board.code(CODE, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC,
                STR_W3_X4, IC_IVAU_X4, DSB_ISH, ISB, movX2(50), B_BACK_10);
        board.cpu().x[2] = 50;
        board.cpu().x[3] = MOV_X0_2;
        board.cpu().x[4] = CODE;

        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(board.cpu().x[1]).isEqualTo(50);
        long made = translator.statistics().regions();
        assertThat(made).isPositive();

        assertThat(board.cpu().run(Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(board.cpu().x[1]).isEqualTo(150);
        assertThat(translator.statistics().regions()).isGreaterThan(made);
    }

    @Test
    void codeThatTheOwnerReplacesIsNotRunAnyMore() {
        board.code(CODE, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC);
        board.cpu().x[2] = 50;
        board.run(CODE, Long.MAX_VALUE);

        board.code(CODE, MOV_X0_2);
        board.domain.invalidateAllCode();
        board.cpu().x[2] = 50;
        board.run(CODE, Long.MAX_VALUE);

        assertThat(board.cpu().x[1]).isEqualTo(150);
    }

    @Test
    void anotherPageWithTheSameCodeUsesTheSameRegion() {
        board.code(CODE, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC);
        board.code(CODE + 4096, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC);
        board.cpu().x[2] = 50;
        board.run(CODE, Long.MAX_VALUE);
        long made = translator.statistics().regions();

        board.cpu().x[2] = 50;
        board.run(CODE + 4096, Long.MAX_VALUE);

        assertThat(board.cpu().x[1]).isEqualTo(100);
        assertThat(translator.statistics().regions()).isEqualTo(made);
    }

    @Test
    void anotherVmWithTheSameCodeUsesTheSameRegion() {
        board.code(CODE, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC);
        board.cpu().x[2] = 50;
        board.run(CODE, Long.MAX_VALUE);
        long made = translator.statistics().regions();

        try (FlatBoard other = new FlatBoard(4 << 20, 1, translator)) {
            other.code(2 << 20 | CODE, MOV_X0_1, ADD_X1_X1_X0, SUBS_X2_X2_1, B_NE_BACK_3, HVC);
            other.cpu().x[2] = 50;
            other.run(2 << 20 | CODE, Long.MAX_VALUE);

            assertThat(other.cpu().x[1]).isEqualTo(50);
        }
        assertThat(translator.statistics().regions()).isEqualTo(made);
    }

    private static int movX2(int value) {
        return 0xD280_0002 | value << 5;
    }
}
