package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class HypercallTableTest {
    private static final Machine MACHINE = new Machine();
    private static final Smccc SMCCC = new Smccc(MACHINE.table, (caller, function, x) -> false, new Random(3));

    @AfterAll
    static void stop() {
        MACHINE.close();
    }

    private static long[] smccc(long... inputs) {
        long[] x = {0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x99};
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        SMCCC.call(MACHINE.caller, x);
        return x;
    }

    @Test
    void twoRowsWithOneNumberAreRefused() {
        HypercallRow row = HypercallRow.of(0x12, "a", 0, ObjectCalls::unimplemented);
        assertThatThrownBy(() -> new HypercallTable(List.of(List.of(row), List.of(row))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void identifyAnswersTheApiInNativeAndSmcccForm() {
        assertThat(MACHINE.registers(0)).containsExactly(0x4800_0000_0000_8001L, 0x1000_0E7FL, 0, 0, 0, 0, 0, 0);
        long[] x = smccc(0xC600_8000L, 1, 2, 3, 4, 5, 6, 7);
        assertThat(x).containsExactly(0x4800_0000_0000_8001L, 0x1000_0E7FL, 0, 0, 4, 5, 6, 7, 0x88, 0x99);
    }

    @Test
    void aHoleAnswersMinusOneAndClearsNativeRegistersOnly() {
        assertThat(MACHINE.registers(0x33, 1, 2, 3)).containsExactly(-1, 0, 0, 0, 0, 0, 0, 0);
        assertThat(MACHINE.registers(0x1FF, 1, 2, 3)).containsExactly(-1, 0, 0, 0, 0, 0, 0, 0);
        assertThat(smccc(0xC600_8033L, 1, 2, 3)).containsExactly(-1, 1, 2, 3, 0, 0, 0, 0, 0x88, 0x99);
        assertThat(smccc(0xC600_BFFFL, 1, 2, 3)).containsExactly(-1, 1, 2, 3, 0, 0, 0, 0, 0x88, 0x99);
    }

    @Test
    void reservedRegistersAreCheckedInNativeCallsOnly() {
        long bell = MACHINE.create(0x06);
        Machine.must(MACHINE.call(0x0C, bell, 0));
        assertThat(MACHINE.call(0x12, bell, 1, 5)).isEqualTo(1);
        assertThat(smccc(0xC600_8012L, bell, 1, 5)[0]).isZero();
    }

    @Test
    @Invariant(16)
    void errorsComeInTheDocumentedOrder() {
        long bell = MACHINE.create(0x06);
        // not decodable, empty slot, wrong type, rights, state
        assertThat(MACHINE.call(0x12, -1, 1, 0)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(MACHINE.call(0x12, 0x3F, 1, 0)).isEqualTo(HypError.CSPACE_CAP_NULL.code());
        assertThat(MACHINE.call(0x12, MACHINE.partitionCap, 1, 0))
                .isEqualTo(HypError.CSPACE_WRONG_OBJECT_TYPE.code());
        long receiver = MACHINE.registers(0x23, MACHINE.cspaceCap, bell, MACHINE.cspaceCap, 2, 0)[1];
        assertThat(MACHINE.call(0x12, receiver, 1, 0)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS.code());
        assertThat(MACHINE.call(0x12, bell, 1, 0)).isEqualTo(HypError.OBJECT_STATE.code());
        Machine.must(MACHINE.call(0x0C, bell, 0));
        assertThat(MACHINE.call(0x0C, bell, 0)).isEqualTo(HypError.OBJECT_STATE.code());
        Machine.must(MACHINE.call(0x59, MACHINE.cspaceCap, bell, 0));
        assertThat(MACHINE.call(0x12, receiver, 1, 0)).isEqualTo(HypError.CSPACE_CAP_REVOKED.code());
        assertThat(MACHINE.registers(0x23, MACHINE.cspaceCap, 0x3F, MACHINE.cspaceCap, 2, 0))
                .startsWith(HypError.CSPACE_CAP_NULL.code(), -1);
    }

    @Test
    void vendorServicesAndSmcccVersionAnswer() {
        assertThat(smccc(0x8600_FF01L)).startsWith(0xcd8f_d5c1L, 0xdb5f_53a4L, 0x36ce_6592L, 0x145f_3d67L);
        assertThat(smccc(0x8600_FF03L)[0]).isEqualTo(0x4800_0000_0000_8001L);
        assertThat(smccc(0x8600_FF00L)[0]).isEqualTo(-1);
        assertThat(smccc(0x8000_0000L)[0]).isEqualTo(0x1_0003);
        assertThat(smccc(0x8000_0001L, 0x8000_0000L)[0]).isZero();
        assertThat(smccc(0x8000_0001L, 0x8000_8000L)[0]).isEqualTo(0xFFFF_FFFFL);
        assertThat(smccc(0x8602_FF01L)[0]).isEqualTo(-1);
        assertThat(smccc(0x8400_0000L)[0]).isEqualTo(-1);
        assertThat(smccc(0x1234_5678_9ABCL)[0]).isEqualTo(-1);
    }

    @Test
    void theSveHintIsTakenOffBeforeAServiceSeesTheFunction() {
        int[] seen = new int[1];
        Smccc smccc = new Smccc(MACHINE.table, (caller, function, x) -> {
            seen[0] = function;
            return true;
        }, new Random(3));

        smccc.call(MACHINE.caller, new long[] {0x8401_000AL, 0, 0, 0, 0, 0, 0, 0});

        assertThat(seen[0]).isEqualTo(0x8400_000A);
    }

    @Test
    void trngFillsFromTheLowestRegister() {
        assertThat(smccc(0x8400_0050L, 9, 9, 9)).startsWith(0x1_0000, 0, 0, 0);
        long[] x = smccc(0xC400_0053L, 68, 1, 1);
        assertThat(x[0]).isZero();
        assertThat(x[1]).isZero();
        assertThat(x[2]).isBetween(0L, 15L);
        assertThat(x[3]).isNotZero();
        assertThat(smccc(0xC400_0053L, 193, 1, 1)).startsWith(-2, 0, 0, 0);
        assertThat(smccc(0x8400_0053L, 97, 1, 1)).startsWith(0xFFFF_FFFEL, 0, 0, 0);
        assertThat(smccc(0x8400_0051L, 0xC400_0053L)[0]).isZero();
        assertThat(smccc(0x8400_0051L, 0x8400_0052L)[0]).isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    void entropyIsLimitedPerWindow() {
        MACHINE.timeNs = 1_000_000_000L;
        assertThat(MACHINE.call(0x57, 0, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(MACHINE.call(0x57, 6, 0)).isEqualTo(HypError.ARGUMENT_ALIGNMENT.code());
        for (int i = 0; i < 4; i++) {
            long[] x = MACHINE.registers(0x57, 8, 0);
            assertThat(x[0]).isZero();
            assertThat(x[3]).isZero();
        }
        assertThat(MACHINE.call(0x57, 8, 0)).isEqualTo(HypError.BUSY.code());
        MACHINE.timeNs += 33_000_000;
        assertThat(MACHINE.call(0x57, 8, 0)).isZero();
    }
}
