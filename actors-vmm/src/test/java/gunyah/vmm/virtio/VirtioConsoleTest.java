package gunyah.vmm.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.device.ConsoleSink;
import gunyah.vmm.virtio.TestDriver.Part;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

/** The console between a driver and a reader. */
class VirtioConsoleTest {
    private final StringBuilder read = new StringBuilder();
    private final Deque<Runnable> later = new ArrayDeque<>();
    private final ConsoleSink output = new ConsoleSink(
            bytes -> read.append(new String(bytes, StandardCharsets.US_ASCII)), later::add);
    private final VirtioConsole console = new VirtioConsole(output);
    private final TestDriver driver = new TestDriver(console).start(0);

    private void runReader() {
        while (!later.isEmpty()) {
            later.remove().run();
        }
    }

    @Test
    void passesOutputOn() {
        driver.call(1, Part.out("hello ".getBytes()), Part.out("there".getBytes()));
        runReader();

        assertThat(read).hasToString("hello there");
    }

    @Test
    void outputWaitsForAReaderThatIsBehind() {
        output.onRoom(console::transmitterReady);
        driver.call(1, Part.out(new byte[ConsoleSink.CAPACITY]));
        driver.chain(1, 0, Part.out("late".getBytes()));
        driver.notify(1);
        assertThat(driver.used(1)).isZero();

        runReader();

        assertThat(driver.used(1)).isEqualTo(1);
        runReader();
        assertThat(read.toString()).endsWith("late");
    }

    @Test
    void whatIsTypedWaitsForBuffers() {
        console.type("typed".getBytes());
        assertThat(console.untaken()).isEqualTo(5);

        byte[] first = driver.call(0, Part.in(3));
        byte[] second = driver.call(0, Part.in(3));

        assertThat(first).isEqualTo("typ".getBytes());
        assertThat(second).startsWith('e', 'd');
        assertThat(driver.usedLength(0)).isEqualTo(2);
        assertThat(console.untaken()).isZero();
    }
}
