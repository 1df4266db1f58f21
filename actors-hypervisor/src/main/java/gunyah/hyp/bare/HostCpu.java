package gunyah.hyp.bare;

import gunyah.hyp.VcpuWork;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A vCPU of the primary VM that executes the tasks it is handed, in order, within its slices. */
public final class HostCpu implements VcpuWork {
    private static final long TASK_LIMIT_S = 60;

    private final CompletableFuture<Context> booted = new CompletableFuture<>();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private volatile long entry;
    private volatile long x0;

    @Override
    public void boot(Context context, long newEntry, long newX0) {
        entry = newEntry;
        x0 = newX0;
        booted.complete(context);
    }

    @Override
    public Result run(Context context) {
        Runnable task = tasks.poll();
        if (task == null) {
            return Result.IDLE;
        }
        task.run();
        return Result.MORE;
    }

    void awaitBoot() {
        booted.join();
    }

    /** {@return what the vCPU may do to itself} Blocks until it was powered on. */
    public Context context() {
        return booted.join();
    }

    /** {@return the address it was told to begin at} */
    public long entry() {
        return entry;
    }

    /** {@return the value it was told to have in X0} */
    public long x0() {
        return x0;
    }

    /** Executes a task on the vCPU's thread. {@return completes with its result, or with what it threw} Any thread. */
    public <T> CompletableFuture<T> start(Function<Context, T> task) {
        Context context = booted.join();
        CompletableFuture<T> result = new CompletableFuture<>();
        tasks.add(() -> {
            try {
                result.complete(task.apply(context));
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        context.wake();
        return result;
    }

    /** Executes a task on the vCPU's thread and waits for it. {@return its result} */
    public <T> T submit(Function<Context, T> task) {
        return start(task).orTimeout(TASK_LIMIT_S, TimeUnit.SECONDS).join();
    }
}
