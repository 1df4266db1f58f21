package gunyah.rm.memparcel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.rpc.RmFault;
import org.junit.jupiter.api.Test;

class IpaSpaceTest {
    private final IpaSpace space = new IpaSpace(0x10_0000);

    @Test
    void firstFitFillsHolesFromBelow() {
        space.take(0x2000, 0x1000);

        assertThat(space.takeFirst(0x2000, 0x1000)).isZero();
        assertThat(space.takeFirst(0x1000, 0x1000)).isEqualTo(0x3000);
        assertThat(space.takeFirst(0x1000, 0x8000)).isEqualTo(0x8000);
        space.giveBack(0, 0x2000);
        assertThat(space.takeFirst(0x1000, 0x1000)).isZero();
    }

    @Test
    void takenAndOutsideRangesAreRefused() {
        space.take(0x2000, 0x2000);

        for (long[] range : new long[][] {{0x1000, 0x2000}, {0x3000, 0x1000}, {0x3000, 0x8000}, {0, 0x10_1000},
            {-0x1000, 0x1000}, {0xf_f000, 0x2000}, {0, Long.MIN_VALUE}}) {
            assertThatThrownBy(() -> space.take(range[0], range[1])).isInstanceOf(RmFault.class);
        }
        space.take(0x1000, 0x1000);
        space.take(0x4000, 0x1000);
    }

    @Test
    void aFullSpaceHasNothingToGive() {
        space.take(0, 0x10_0000);

        assertThatThrownBy(() -> space.takeFirst(0x1000, 0x1000)).isInstanceOf(RmFault.class);
    }
}
