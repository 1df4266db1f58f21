package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ConsoleTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private final Console console = new Console();

    private void print(String text) {
        console.append(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void awaitFollowsADialogue() throws InterruptedException {
        print("# one\n# ");

        assertThat(console.await(Pattern.compile("# "), SOON)).isPresent();
        assertThat(console.await(Pattern.compile("# "), SOON)).isPresent();
        assertThat(console.await(Pattern.compile("# "), Duration.ofMillis(1))).isEmpty();
        print("digest abc\n");
        assertThat(console.await(Pattern.compile("digest (\\w+)"), SOON).orElseThrow().group(1)).isEqualTo("abc");
    }

    @Test
    void awaitSeesTextThatComesLaterAndInPieces() throws InterruptedException {
        Thread printer = Thread.ofVirtual().start(() -> {
            print("Linux ver");
            print("sion 6.1\n");
        });

        assertThat(console.await(Pattern.compile("Linux version 6\\.1"), SOON)).isPresent();
        printer.join();
    }

    @Test
    void awaitEndsWhenTheConsoleCloses() throws InterruptedException {
        print("half");
        console.close();

        assertThat(console.await(Pattern.compile("never"), Duration.ofHours(1))).isEmpty();
    }

    @Test
    void copyingGivesEveryByteUpToTheEnd() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Thread copier = copying(out);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        for (int i = 0; i < 40_000; i++) {
            byte[] line = ("line " + i + "\n").getBytes(StandardCharsets.US_ASCII);
            expected.writeBytes(line);
            console.append(line);
        }
        console.close();
        copier.join();

        assertThat(out.toByteArray()).isEqualTo(expected.toByteArray());
    }

    @Test
    void aSlowReaderThrottlesTheWriterAndLosesNothing() throws Exception {
        CountDownLatch mayRead = new CountDownLatch(1);
        long[] received = new long[1];
        OutputStream slow = new OutputStream() {
            @Override
            public void write(int b) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                try {
                    mayRead.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                received[0] += count;
            }
        };
        print("x");
        Thread copier = copying(slow);
        Thread writer = Thread.ofVirtual().start(() -> {
            for (int i = 0; i < 3; i++) {
                console.append(new byte[Console.HISTORY_BYTES]);
            }
            console.close();
        });

        mayRead.countDown();
        writer.join();
        copier.join();

        assertThat(received[0]).isEqualTo(3L * Console.HISTORY_BYTES + 1);
    }

    private Thread copying(OutputStream out) {
        return Thread.ofVirtual().start(() -> {
            try {
                console.copyTo(out);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void aLateReaderIsToldWhatItMissed() throws Exception {
        console.append(new byte[Console.HISTORY_BYTES]);
        console.append("0123456789".getBytes(StandardCharsets.US_ASCII));
        console.close();
        ByteArrayOutputStream out = new ByteArrayOutputStream();

        console.copyTo(out);

        String text = out.toString(StandardCharsets.ISO_8859_1);
        assertThat(text).startsWith("\r\n[10 bytes of console output lost]\r\n").endsWith("0123456789");
        assertThat(console.text()).hasSize(Console.HISTORY_BYTES);
    }

    @Test
    void onePieceLargerThanTheMemoryKeepsItsEnd() {
        byte[] large = new byte[Console.HISTORY_BYTES + 5];
        large[large.length - 1] = 'z';
        console.append(large);

        assertThat(console.text()).hasSize(Console.HISTORY_BYTES).endsWith("z");
    }
}
