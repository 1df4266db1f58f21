package gunyah.arm64.semantics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The carries that are computed alone are those of the flags. */
class CarryTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125L);
    private static final long[] CORNERS = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0xFFFF_FFFFL, 1L << 32};

    @Test
    void carriesOfSumsAndDifferencesAreThoseOfNzcv() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < 10_000; i++) {
            long a = i % 3 == 0 ? CORNERS[random.nextInt(CORNERS.length)] : random.nextLong();
            long b = i % 5 == 0 ? CORNERS[random.nextInt(CORNERS.length)] : random.nextLong();
            assertThat(Flags.addCarry64(a, b)).as("%x + %x, seed %d", a, b, SEED)
                    .isEqualTo(Flags.add64(a, b, a + b) >>> 29 & 1);
            assertThat(Flags.subCarry64(a, b)).as("%x - %x, seed %d", a, b, SEED)
                    .isEqualTo(Flags.sub64(a, b, a - b) >>> 29 & 1);
        }
    }
}
