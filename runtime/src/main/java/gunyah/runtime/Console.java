package gunyah.runtime;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a VM wrote to its console: a byte stream with a bounded memory. A reader that follows ({@link #copyTo}) loses
 * nothing: when it is a whole memory behind, the writer waits for it, which throttles the guest. A reader that comes late
 * begins with the oldest byte remembered and is told how many there were before. Thread safe.
 */
public final class Console {
    /** Bytes remembered. */
    public static final int HISTORY_BYTES = 4 << 20;

    private final Object lock = new Object();
    private byte[] ring = new byte[64 << 10];
    private long written;
    private long expectedFrom;
    private boolean closed;
    private final List<Reader> readers = new ArrayList<>();

    /** Where one reader is; guarded by the lock. */
    private static final class Reader {
        private long position;
    }

    Console() {
    }

    /** Adds bytes; waits for readers that are too far behind. An interrupt ends the waiting, and bytes may be lost. */
    void append(byte[] bytes) {
        synchronized (lock) {
            awaitReaders(bytes.length);
            if (ring.length < HISTORY_BYTES && written + bytes.length > ring.length) {
                grow(bytes.length);
            }
            int skipped = Math.max(0, bytes.length - ring.length);
            written += skipped;
            int at = (int) (written % ring.length);
            int count = bytes.length - skipped;
            int first = Math.min(count, ring.length - at);
            System.arraycopy(bytes, skipped, ring, at, first);
            System.arraycopy(bytes, skipped + first, ring, 0, count - first);
            written += count;
            lock.notifyAll();
        }
    }

    private void awaitReaders(int more) {
        try {
            while (!closed && readers.stream().anyMatch(reader -> written > reader.position
                    && written + more - reader.position > HISTORY_BYTES)) {
                lock.wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void grow(int more) {
        int size = ring.length;
        while (size < HISTORY_BYTES && size < written + more) {
            size *= 2;
        }
        // nothing wrapped yet: the ring grows before it is full the first time
        byte[] larger = new byte[size];
        System.arraycopy(ring, 0, larger, 0, (int) written);
        ring = larger;
    }

    /** No more bytes will come. */
    void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
    }

    /** {@return all bytes still remembered, as Latin-1 text: one character per byte} */
    public String text() {
        synchronized (lock) {
            return text(written - Math.min(written, ring.length));
        }
    }

    private String text(long from) {
        byte[] copy = new byte[(int) (written - from)];
        copy(from, copy, copy.length);
        return new String(copy, StandardCharsets.ISO_8859_1);
    }

    private void copy(long from, byte[] target, int count) {
        int at = (int) (from % ring.length);
        int first = Math.min(count, ring.length - at);
        System.arraycopy(ring, at, target, 0, first);
        System.arraycopy(ring, 0, target, first, count - first);
    }

    /**
     * Waits for text that matches, looking only at what came after the last match: consecutive calls follow a
     * dialogue. Blocks.
     *
     * @return the match; empty when the time is over or the console closed without one
     */
    public Optional<MatchResult> await(Pattern pattern, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (lock) {
            while (true) {
                long from = Math.max(expectedFrom, written - Math.min(written, ring.length));
                Matcher matcher = pattern.matcher(text(from));
                if (matcher.find()) {
                    expectedFrom = from + matcher.end();
                    return Optional.of(matcher.toMatchResult());
                }
                long leftMs = (deadline - System.nanoTime() + 999_999) / 1_000_000;
                if (closed || leftMs <= 0) {
                    return Optional.empty();
                }
                lock.wait(leftMs);
            }
        }
    }

    /**
     * Copies everything, from the oldest byte remembered to the last one, to {@code out}, flushing whenever it has
     * caught up. Blocks until the console is closed.
     *
     * @throws IOException when {@code out} fails; the guest goes on
     */
    public void copyTo(OutputStream out) throws IOException, InterruptedException {
        Reader reader = new Reader();
        synchronized (lock) {
            readers.add(reader);
        }
        try {
            copy(reader, out);
        } finally {
            synchronized (lock) {
                readers.remove(reader);
                lock.notifyAll();
            }
        }
    }

    private void copy(Reader reader, OutputStream out) throws IOException, InterruptedException {
        byte[] chunk = new byte[16 << 10];
        while (true) {
            int count;
            long lost;
            boolean caughtUp;
            synchronized (lock) {
                while (reader.position == written && !closed) {
                    lock.wait();
                }
                if (reader.position == written) {
                    return;
                }
                lost = Math.max(0, written - ring.length - reader.position);
                count = (int) Math.min(chunk.length, written - reader.position - lost);
                copy(reader.position + lost, chunk, count);
                reader.position += lost + count;
                caughtUp = reader.position == written;
                lock.notifyAll();
            }
            if (lost > 0) {
                out.write("\r\n[%d bytes of console output lost]\r\n".formatted(lost)
                        .getBytes(StandardCharsets.US_ASCII));
            }
            out.write(chunk, 0, count);
            if (caughtUp) {
                out.flush();
            }
        }
    }
}
