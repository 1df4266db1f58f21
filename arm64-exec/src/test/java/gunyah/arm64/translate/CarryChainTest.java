package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sums and differences with carry: every condition behind them, and where ways with other flags meet. */
class CarryChainTest {
    private static final long CODE = 0x10_000;
    private static final int ADDS_X9_X1_X2 = 0xAB02_0029;
    private static final int SUBS_X9_X1_X2 = 0xEB02_0029;
    private static final int ADCS_X10_X3_X4 = 0xBA04_006A;
    private static final int SBCS_X11_X5_X6 = 0xFA06_00AB;
    private static final int CSINC_X12_X12_X12 = 0x9A8C_058C;
    private static final int TBZ_X8_0_FORWARD_2 = 0x3600_0048;
    private static final int MRS_X13_NZCV = 0xD53B_420D;
    private static final int ADD_X14_X14_X13 = 0x8B0D_01CE;
    private static final int ADC_X15_X15_XZR = 0x9A1F_01EF;
    private static final int LSL_X12_X12_1 = 0xD37F_F98C;
    private static final int SUBS_X8_X8_1 = 0xF100_0508;
    private static final int B_NE = 0x5400_0001;
    private static final int HVC = 0xD400_0002;
    private static final int RUNS = 300;
    private static final long[] EDGES = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, -2};

    /** The loop runs five times: interpreted, and then translated where there is a translator. */
    private static int[] program(boolean subtractsFirst, boolean meets) {
        List<Integer> words = new ArrayList<>();
        words.add(subtractsFirst ? SUBS_X9_X1_X2 : ADDS_X9_X1_X2);
        words.add(ADCS_X10_X3_X4);
        for (int condition = 0; condition < 14; condition++) {
            words.add(LSL_X12_X12_1);
            words.add(CSINC_X12_X12_X12 | condition << 12);
        }
        words.add(SBCS_X11_X5_X6);
        if (meets) {
            // the flags are those of SUBS in the first round, and still those of SBCS in the next
            words.add(TBZ_X8_0_FORWARD_2);
            words.add(SUBS_X9_X1_X2);
        }
        words.add(ADC_X15_X15_XZR);
        words.add(MRS_X13_NZCV);
        words.add(ADD_X14_X14_X13);
        words.add(SUBS_X8_X8_1);
        words.add(B_NE | (-words.size() & 0x7_FFFF) << 5);
        words.add(HVC);
        return words.stream().mapToInt(Integer::intValue).toArray();
    }

    private static String run(int[] words, long[] operands, Translator translator) {
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, words);
            System.arraycopy(operands, 0, board.cpu().x, 1, operands.length);
            board.cpu().x[8] = 5;
            board.run(CODE, Long.MAX_VALUE);
            StringBuilder state = new StringBuilder();
            for (int register = 0; register < 16; register++) {
                state.append(Long.toHexString(board.cpu().x[register])).append(' ');
            }
            return state.toString();
        }
    }

    @Test
    void theTranslatedLoopDoesWhatTheInterpretedOneDoes() {
        long seed = Long.getLong("gunyah.seed", 20261130);
        Random random = new Random(seed);
        for (int i = 0; i < RUNS; i++) {
            long[] operands = new long[6];
            for (int j = 0; j < operands.length; j++) {
                operands[j] = random.nextInt(3) == 0 ? random.nextLong() : EDGES[random.nextInt(EDGES.length)];
            }
            int[] words = program(random.nextBoolean(), random.nextBoolean());
            try (Translator translator = new Translator(Translator.Policy.EVERYTHING)) {
                assertThat(run(words, operands, translator)).as("seed %d, run %d", seed, i)
                        .isEqualTo(run(words, operands, null));
                assertThat(translator.statistics().regions()).isPositive();
            }
        }
    }
}
