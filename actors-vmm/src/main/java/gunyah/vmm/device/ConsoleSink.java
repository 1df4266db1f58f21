package gunyah.vmm.device;

import java.io.ByteArrayOutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a guest's console output to its reader: bytes gather while the reader is busy and reach it in one piece, in
 * order, on the executor. A reader that falls behind makes the sink {@link #isFull full}. Thread safe; put never blocks.
 */
public final class ConsoleSink {
    /** Bytes that may wait before the sink calls itself full. */
    public static final int CAPACITY = 64 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(ConsoleSink.class);

    private final Consumer<byte[]> reader;
    private final Executor executor;
    private final ByteArrayOutputStream waiting = new ByteArrayOutputStream(256);
    private Runnable onRoom = () -> { };
    private CompletableFuture<Void> drained = CompletableFuture.completedFuture(null);
    private boolean draining;
    private boolean full;

    /** @param reader may block; gets arrays of its own */
    public ConsoleSink(Consumer<byte[]> reader, Executor executor) {
        this.reader = reader;
        this.executor = executor;
    }

    /** Sets what runs, on the executor, when a full sink has room again. */
    public synchronized void onRoom(Runnable action) {
        onRoom = action;
    }

    /** Adds one byte. A full sink takes it too. */
    public void put(int value) {
        synchronized (this) {
            waiting.write(value);
            full |= waiting.size() >= CAPACITY;
            if (draining) {
                return;
            }
            draining = true;
            drained = new CompletableFuture<>();
        }
        executor.execute(this::drain);
    }

    /** {@return whether the reader is behind} */
    public synchronized boolean isFull() {
        return full;
    }

    /** {@return when the reader has had everything put so far} */
    public synchronized CompletionStage<Void> drained() {
        return drained.minimalCompletionStage();
    }

    private void drain() {
        while (true) {
            byte[] piece;
            Runnable room;
            CompletableFuture<Void> empty = null;
            synchronized (this) {
                if (waiting.size() == 0) {
                    draining = false;
                    empty = drained;
                }
                piece = waiting.toByteArray();
                waiting.reset();
                room = full ? onRoom : null;
                full = false;
            }
            if (empty != null) {
                empty.complete(null);
                return;
            }
            if (room != null) {
                room.run();
            }
            try {
                reader.accept(piece);
            } catch (RuntimeException e) {
                LOG.warn("{} bytes of console output are lost: {}", piece.length, e.toString());
            }
        }
    }
}
