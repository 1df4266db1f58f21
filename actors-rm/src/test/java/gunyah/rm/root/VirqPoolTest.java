package gunyah.rm.root;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.root.VirqPool.Range;
import gunyah.rm.rpc.RmFault;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VirqPoolTest {
    private final VirqPool pool = new VirqPool(List.of(new Range(960, 962), new Range(4096, 4097)));

    @Test
    void rangesAreUsedInOrderAndThenThereIsNothing() {
        assertThat(List.of(pool.take(), pool.take(), pool.take())).containsExactly(960, 961, 4096);
        assertThatThrownBy(pool::take).isInstanceOf(RmFault.class);
        pool.giveBack(961);
        assertThat(pool.take()).isEqualTo(961);
    }

    @Test
    void fixedLinesAreKeptForWhoAsksForThem() {
        VirqPool kept = new VirqPool(List.of(new Range(960, 964)), Set.of(960, 962));

        assertThat(List.of(kept.take(), kept.take(), kept.take(962))).containsExactly(961, 963, 962);
        assertThatThrownBy(kept::take).isInstanceOf(RmFault.class);
    }

    @Test
    void fixedLinesMayLieOutsideTheRangesButOnlyOnSharedInterrupts() {
        assertThat(pool.take(37)).isEqualTo(37);
        assertThat(pool.take(960)).isEqualTo(960);
        assertThat(pool.take()).isEqualTo(961);
        for (int intid : new int[] {37, 961, 31, 1020, 4095, 5120}) {
            assertThatThrownBy(() -> pool.take(intid)).isInstanceOf(RmFault.class);
        }
        assertThat(pool.inUse()).isEqualTo(3);
    }
}
