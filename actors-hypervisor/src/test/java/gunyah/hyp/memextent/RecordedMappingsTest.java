package gunyah.hyp.memextent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RecordedMappingsTest {
    private static final long PAGE = 0x1000;
    private static final long BLOCK = 2L << 20;

    @Test
    void aWholeExtentIsAFewWordsAndRunsAlong() {
        RecordedMappings table = new RecordedMappings();
        table.set(0, 3L << 30, 0x8_0000_0000L | 0x77);
        assertThat(table.get(5 * PAGE)).isEqualTo(0x8_0000_5077L);
        assertThat(table.get((2L << 30) + PAGE)).isEqualTo(0x8_8000_1077L);
        assertThat(table.span(PAGE)).isEqualTo((1L << 30) - PAGE);
        table.clear(BLOCK + PAGE, PAGE);
        assertThat(table.get(BLOCK)).isEqualTo(0x8_0020_0077L);
        assertThat(table.get(BLOCK + PAGE)).isZero();
        assertThat(table.get(BLOCK + 2 * PAGE)).isEqualTo(0x8_0020_2077L);
        assertThat(table.span(0)).isEqualTo(BLOCK);
        table.clear(0, 3L << 30);
        assertThat(table.isEmpty()).isTrue();
    }

    @Test
    void randomRangesMatchAPlainArray() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        int pages = 2048;
        long base = (1L << 30) - 700 * PAGE;
        long[] model = new long[pages];
        RecordedMappings table = new RecordedMappings();
        for (int step = 0; step < 600; step++) {
            int first = random.nextInt(pages);
            int count = 1 + random.nextInt(random.nextBoolean() ? 4 : pages - first);
            count = Math.min(count, pages - first);
            long word = random.nextInt(3) == 0 ? 0 : (long) random.nextInt(1 << 20) << 12 | 0x41;
            if (word == 0) {
                table.clear(base + first * PAGE, count * PAGE);
            } else {
                table.set(base + first * PAGE, count * PAGE, word);
            }
            boolean empty = true;
            for (int i = 0; i < pages; i++) {
                if (i >= first && i < first + count) {
                    model[i] = word == 0 ? 0 : word + (i - first) * PAGE;
                }
                empty &= model[i] == 0;
                assertThat(table.get(base + i * PAGE)).as("seed %d step %d page %d", seed, step, i)
                        .isEqualTo(model[i]);
            }
            assertThat(table.isEmpty()).isEqualTo(empty);
        }
    }
}
