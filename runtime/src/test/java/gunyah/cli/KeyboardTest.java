package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KeyboardTest {
    private final BlockingQueue<String> typed = new LinkedBlockingQueue<>();
    private final CountDownLatch left = new CountDownLatch(1);

    private void type(String text, boolean escapes) {
        new Keyboard(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)), escapes,
                keys -> typed.add(new String(keys, StandardCharsets.ISO_8859_1)), left::countDown).start();
    }

    @Test
    void ctrlAxLeavesAndCtrlAaSendsCtrlA() throws InterruptedException {
        type("ab\u0001ac\u0001?d\u0001x", true);

        assertThat(typed.poll(60, TimeUnit.SECONDS)).isEqualTo("ab\u0001cd");
        assertThat(left.await(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aPipeIsPassedOnAsItIs() throws InterruptedException {
        type("a\u0001x\n", false);

        assertThat(typed.poll(60, TimeUnit.SECONDS)).isEqualTo("a\u0001x\n");
        assertThat(left.getCount()).isOne();
    }
}
