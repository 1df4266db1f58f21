package gunyah.arm64.interp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.RegionGates;
import gunyah.arm64.translate.Translator;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** Translated code that is wrong is found and never runs; code that is right runs, and a trial leaves no trace. */
class LockStepTest {
    private static final long CODE = 0x10_000;
    private static final long DATA = 0x2_0000;
    private static final int ROUNDS = 50;
    private static final int ADD_X1_X1_1 = 0x9100_0421;
    private static final int LDR_X5_X6 = 0xF940_00C5;
    private static final int ADD_X5_X5_1 = 0x9100_04A5;
    private static final int STR_X5_X4 = 0xF900_0085;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_5 = 0x54FF_FF61;
    private static final int HVC = 0xD400_0002;

    private final LockStep lockStep = new LockStep(1);

    /** The translation of {@code word} has another immediate. */
    private RegionGates wrong(int word, int difference) {
        return new RegionGates() {
            @Override
            public RegionGate of(Cpu cpu) {
                return lockStep.of(cpu);
            }

            @Override
            public Insn prepare(Insn insn) {
                Insn copy = insn.with(insn.semantics);
                copy.imm += insn.word == word ? difference : 0;
                return copy;
            }
        };
    }

    private void runLoop(RegionGates gates) {
        Translator translator = new Translator(Translator.Policy.EVERYTHING, null, gates);
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, ADD_X1_X1_1, LDR_X5_X6, ADD_X5_X5_1, STR_X5_X4, SUBS_X2_X2_1, B_NE_BACK_5, HVC);
            Cpu cpu = board.cpu();
            cpu.x[2] = ROUNDS;
            cpu.x[4] = DATA;
            cpu.x[6] = DATA + 0x1000;

            assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);

            assertThat(translator.statistics().regions()).isPositive();
            assertThat(cpu.x[1]).isEqualTo(ROUNDS);
            assertThat(cpu.s.retired).isEqualTo(6 * ROUNDS + 1);
            byte[] data = new byte[16];
            board.memory.read(DATA, data, 0, data.length);
            ByteBuffer words = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(words.getLong(0)).isEqualTo(1);
            assertThat(words.getLong(8)).isZero();
        }
    }

    @Test
    void rightCodeIsComparedAndRuns() {
        runLoop(lockStep);

        assertThat(lockStep.differences()).isEmpty();
        assertThat(lockStep.statistics().instructions()).isGreaterThan(5 * ROUNDS);
    }

    @Test
    void aWrongRegisterIsFound() {
        runLoop(wrong(ADD_X1_X1_1, 1));

        assertThat(lockStep.statistics().differences()).isEqualTo(1);
        assertThat(lockStep.differences().getFirst()).contains("tiers differ").contains(" x1 0x").contains("add");
    }

    @Test
    void aByteInAnotherPlaceIsFound() {
        runLoop(wrong(STR_X5_X4, 8));

        assertThat(lockStep.statistics().differences()).isEqualTo(1);
        assertThat(lockStep.differences().getFirst()).contains("memory at 0x2000");
    }
}
