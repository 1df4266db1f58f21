package gunyah.vmm.virtio;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/**
 * The owner of a device's queues: runs the work of one device, one piece at a time, on an executor whose threads may
 * block. Up to 32 kinds of work; asking for one that waits already does nothing. Thread safe; asking never blocks.
 *
 * <p>{@code state}: a bit for each kind of work that waits, and {@code RUNNING} while a task of it is on the executor.
 */
final class DeviceLoop {
    private static final long RUNNING = 1L << 62;
    private static final long CLOSED = 1L << 61;
    private static final long WORK = 0xffff_ffffL;

    private final Executor executor;
    private final IntConsumer work;
    private final AtomicLong state = new AtomicLong();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    DeviceLoop(Executor executor, IntConsumer work) {
        this.executor = executor;
        this.work = work;
    }

    void request(int kind) {
        long before = state.getAndUpdate(s -> (s & CLOSED) != 0 ? s : s | 1L << kind | RUNNING);
        if ((before & (RUNNING | CLOSED)) == 0) {
            executor.execute(this::run);
        }
    }

    private void run() {
        while (true) {
            long waiting = state.getAndUpdate(s -> s & ~WORK) & WORK;
            if (waiting == 0) {
                long now = state.getAndUpdate(s -> (s & WORK) == 0 ? s & ~RUNNING : s);
                if ((now & WORK) == 0) {
                    if ((now & CLOSED) != 0) {
                        ended.complete(null);
                    }
                    return;
                }
                continue;
            }
            while (waiting != 0) {
                work.accept(Long.numberOfTrailingZeros(waiting));
                waiting &= waiting - 1;
            }
        }
    }

    /** Takes no more work. {@return when the last piece is done} */
    CompletionStage<Void> close() {
        long before = state.getAndUpdate(s -> (s | CLOSED) & ~WORK);
        if ((before & RUNNING) == 0) {
            ended.complete(null);
        }
        return ended;
    }
}
