package gunyah.hyp.addrspace;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.Invariant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IpaRangesTest {
    @Test
    @Invariant(26)
    void randomRangesNeverOverlapAndMatchAPageMap() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        IpaRanges ranges = IpaRanges.EMPTY;
        int[] kind = new int[64];
        int[] start = new int[64];
        int count = 0;
        for (int step = 0; step < 20_000; step++) {
            int base = random.nextInt(60);
            int size = 1 + random.nextInt(4);
            boolean vmmio = random.nextBoolean();
            boolean add = random.nextBoolean();
            IpaRanges.Change change = add ? vmmio ? ranges.addVmmio(base, size) : ranges.addPrivate(base, size)
                    : vmmio ? ranges.removeVmmio(base, size) : ranges.removePrivate(base, size);
            boolean free = true;
            boolean exact = kind[base] == (vmmio ? 1 : 2) && start[base] == base
                    && (base + size == 64 || start[base + size] != base || kind[base + size] == 0);
            for (int i = base; i < base + size; i++) {
                free &= kind[i] == 0;
                exact &= kind[i] == (vmmio ? 1 : 2) && start[i] == base;
            }
            boolean works = add ? free : exact;
            assertThat(change.error() == HypError.OK).as("seed %d step %d", seed, step).isEqualTo(works);
            if (works) {
                for (int i = base; i < base + size; i++) {
                    kind[i] = add ? vmmio ? 1 : 2 : 0;
                    start[i] = base;
                }
                count += add ? 1 : -1;
            } else {
                assertThat(change.ranges()).isSameAs(ranges);
            }
            ranges = change.ranges();
            assertThat(ranges.count()).isEqualTo(count);
            for (int i = 0; i < 64; i++) {
                assertThat(ranges.insideVmmio(i, 1)).isEqualTo(kind[i] == 1);
                assertThat(ranges.insidePrivate(i, 1)).isEqualTo(kind[i] == 2);
            }
        }
    }
}
