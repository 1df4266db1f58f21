package gunyah.vmm.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.virtio.TestDriver.Part;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Entropy as a driver gets it. */
class VirtioRngTest {
    private final TestDriver driver = new TestDriver(new VirtioRng(new Random(5))).start(0);

    @Test
    void fillsEachBuffer() {
        byte[] expected = new byte[4096];
        new Random(5).nextBytes(expected);

        byte[] first = driver.call(0, Part.in(32), Part.in(32));

        assertThat(first).startsWith(Arrays.copyOf(expected, 64));
        assertThat(driver.usedLength(0)).isEqualTo(64);
        assertThat(driver.call(0, Part.in(64))).isNotEqualTo(first);
    }

    @Test
    void fillsAtMostAPageAndTellsSo() {
        driver.call(0, Part.in(8000));

        assertThat(driver.usedLength(0)).isEqualTo(4096);
    }

    @Test
    void manyBuffersAreServedInTurns() {
        for (int i = 0; i < 16; i++) {
            driver.chain(0, i, Part.in(8));
        }
        driver.notify(0);

        assertThat(driver.used(0)).isEqualTo(16);
    }
}
