package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes regions of hot code on one background thread, and keeps them by content: whoever has the same code, of the same
 * VM or of another, finds them. It touches decoded instructions only, never guest memory. Thread safe.
 */
public final class Translator implements AutoCloseable {
    /** Executions of an entry after which its region is wanted. */
    public static final int HOT = 1500;
    /** Executions of an entry after which it is looked up for the first time, and then every so many. */
    public static final int LOOK_EVERY = 64;

    private static final int QUEUE = 256;
    private static final int MAX_REGIONS = 20_000;

    private record Request(Insn[] page, int slot) {
    }

    private final BlockingQueue<Request> queue = new ArrayBlockingQueue<>(QUEUE);
    private final ConcurrentHashMap<Long, List<Region>> regions = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicLong compiled = new AtomicLong();
    private final AtomicLong instructions = new AtomicLong();
    private final AtomicLong compileNs = new AtomicLong();
    private volatile boolean closed;
    private volatile Thread thread;

    /**
     * {@return a region that may be entered at {@code slot} and was made from what the page holds, or null}
     *
     * @param hostPage host address of the page
     * @param word     word at {@code slot}
     */
    public Region find(long hostPage, int slot, int word) {
        List<Region> candidates = regions.get(key(slot, word));
        if (candidates != null) {
            for (Region candidate : candidates) {
                if (candidate.matches(hostPage)) {
                    return candidate;
                }
            }
        }
        return null;
    }

    /**
     * Asks for a region; a full queue forgets it, the code will ask again if it stays hot.
     *
     * @param page decoded instructions by slot, null where there is none; not changed any more
     * @param slot where it is entered
     */
    public void request(Insn[] page, int slot) {
        if (!closed && compiled.get() < MAX_REGIONS && queue.offer(new Request(page, slot))
                && started.compareAndSet(false, true)) {
            thread = Thread.ofPlatform().daemon().name("translator").start(this::work);
        }
    }

    private void work() {
        try {
            while (!closed) {
                translate(queue.take());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void translate(Request request) {
        long start = System.nanoTime();
        RegionFlow flow = new RegionFlow(request.page, request.slot);
        Region region = RegionCompiler.compile(flow);
        for (int entry : region.entries()) {
            regions.computeIfAbsent(key(entry, flow.insn(entry).word), key -> new CopyOnWriteArrayList<>())
                    .addFirst(region);
        }
        compiled.incrementAndGet();
        instructions.addAndGet(region.size());
        compileNs.addAndGet(System.nanoTime() - start);
    }

    private static long key(int slot, int word) {
        return (long) slot << 32 | word & 0xFFFF_FFFFL;
    }

    /** {@return regions made, guest instructions in them, and nanoseconds that took, as text} */
    public String describe() {
        return "%d regions, %d instructions, %d ms".formatted(compiled.get(), instructions.get(),
                compileNs.get() / 1_000_000);
    }

    /** Makes no more regions. */
    @Override
    public void close() {
        closed = true;
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }
}
