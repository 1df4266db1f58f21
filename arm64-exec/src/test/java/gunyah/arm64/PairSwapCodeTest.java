package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuExit;
import gunyah.memory.PairSwap;
import java.lang.reflect.Field;
import org.junit.jupiter.api.Test;

/** The instructions {@link PairSwap} executes on arm64 hosts, on our CPU. */
class PairSwapCodeTest {
    private static final long CODE = 0x1000;
    private static final long PLACE = 0x2000;
    private static final long PAIR = 0x3000;
    private static final int HVC = 0xD400_0002;

    @Test
    void theCodeForArm64Swaps() throws ReflectiveOperationException {
        Field code = PairSwap.class.getDeclaredField("AARCH64");
        code.setAccessible(true);
        try (FlatBoard board = new FlatBoard(1 << 20, 1)) {
            board.code(CODE, (int[]) code.get(null));
            board.code(0x4000, HVC);
            Cpu cpu = board.cpu();
            long[][] expectedOnes = {{1, 2}, {1, 3}, {2, 2}};
            for (long[] expected : expectedOnes) {
                boolean same = expected[0] == 1 && expected[1] == 2;
                put(board, PLACE, 1, 2);
                put(board, PAIR, expected[0], expected[1]);
                cpu.x[0] = PLACE;
                cpu.x[1] = PAIR;
                cpu.x[2] = 7;
                cpu.x[3] = 8;
                cpu.x[30] = 0x4000;

                assertThat(board.run(CODE, 100)).isEqualTo(CpuExit.Kind.HYPERCALL);

                assertThat(cpu.x[0]).isEqualTo(same ? 1 : 0);
                assertThat(cpu.mmu.read64(PLACE)).isEqualTo(same ? 7 : 1);
                assertThat(cpu.mmu.read64(PLACE + 8)).isEqualTo(same ? 8 : 2);
                assertThat(cpu.mmu.read64(PAIR)).isEqualTo(1);
                assertThat(cpu.mmu.read64(PAIR + 8)).isEqualTo(2);
            }
        }
    }

    private static void put(FlatBoard board, long at, long low, long high) {
        board.cpu().mmu.write64(at, low);
        board.cpu().mmu.write64(at + 8, high);
    }
}
