package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes regions of hot code, and keeps them by content: whoever has the same code, of the same VM or of another, finds
 * them. It touches decoded instructions only, never guest memory. Thread safe.
 *
 * <p>A new class is run by the JVM's own interpreter at first, far slower than ours; so a region is published only when
 * the JVM has compiled it, which calls that do nothing make it do.
 */
public final class Translator implements AutoCloseable {
    /**
     * What is worth translating.
     *
     * @param hot          how often a place must be jumped to; at most 30,000
     * @param lookEvery    after how many jumps there is looked for a region that is finished; a power of two
     * @param inBackground false: the vCPU's thread makes the region at once, uncompiled (for tests)
     * @param headStartMs  time for the JVM to compile our interpreter before regions compete for its compiler
     */
    public record Policy(int hot, int lookEvery, boolean inBackground, long headStartMs) {
        /** For guests that run for seconds and more. */
        public static final Policy AUTO = new Policy(8_000, 64, true, 3_000);
        /** Translates early, for long runs and benchmarks. */
        public static final Policy EAGER = new Policy(1_000, 64, true, 0);
        /** Translates whatever is jumped to twice, at once. */
        public static final Policy EVERYTHING = new Policy(2, 1, false, 0);
    }

    private static final int QUEUE = 256;
    private static final int MAX_REGIONS = 20_000;
    /** More than what makes HotSpot compile a method (Tier3InvocationThreshold). */
    private static final int WARM_UP_CALLS = 260;
    private static final int COMPILED_CHECKS = 100;
    private static final long CHECK_NS = 500_000;
    private static final int TIMED_CALLS = 16;
    /** A compiled call that does nothing takes a few nanoseconds, an interpreted one a hundred. */
    private static final long COMPILED_CALL_NS = 40;

    private record Request(Insn[] page, int slot) {
    }

    private final Policy policy;
    private final BlockingQueue<Request> queue = new ArrayBlockingQueue<>(QUEUE);
    private final ConcurrentHashMap<Long, List<Region>> regions = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong instructions = new AtomicLong();
    private final AtomicLong makingNs = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private volatile boolean closed;
    private volatile Thread thread;

    public Translator(Policy policy) {
        this.policy = policy;
    }

    public Policy policy() {
        return policy;
    }

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
        if (closed || made.get() >= MAX_REGIONS) {
            return;
        }
        Request request = new Request(page, slot);
        if (!policy.inBackground()) {
            make(request);
        } else if (queue.offer(request) && started.compareAndSet(false, true)) {
            thread = Thread.ofPlatform().daemon().name("translator").start(this::work);
        }
    }

    private void work() {
        try {
            Thread.sleep(policy.headStartMs());
            while (!closed) {
                make(queue.take());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void make(Request request) {
        long start = System.nanoTime();
        RegionFlow flow = new RegionFlow(request.page, request.slot);
        // nothing is decoded there when the code was thrown away since
        if (flow.blocks().isEmpty() || policy.inBackground() && exists(flow)) {
            return;
        }
        Region region;
        try {
            region = RegionCompiler.compile(flow);
        } catch (RuntimeException | LinkageError e) {
            // the code stays interpreted, and correct
            failures.incrementAndGet();
            System.getLogger(Translator.class.getName()).log(System.Logger.Level.WARNING, "no region: " + flow, e);
            return;
        }
        if (policy.inBackground()) {
            awaitCompiled(region);
        }
        for (int entry : region.entries()) {
            regions.computeIfAbsent(key(entry, flow.insn(entry).word), key -> new CopyOnWriteArrayList<>())
                    .addFirst(region);
        }
        made.incrementAndGet();
        instructions.addAndGet(region.size());
        makingNs.addAndGet(System.nanoTime() - start);
    }

    private boolean exists(RegionFlow flow) {
        int entry = flow.first();
        List<Region> candidates = regions.get(key(entry, flow.insn(entry).word));
        return candidates != null && candidates.stream().anyMatch(region -> region.isOf(flow));
    }

    private static void awaitCompiled(Region region) {
        for (int i = 0; i < WARM_UP_CALLS; i++) {
            region.run(null, 0, Region.NOWHERE, 0);
        }
        for (int i = 0; i < COMPILED_CHECKS && callNs(region) > COMPILED_CALL_NS; i++) {
            LockSupport.parkNanos(CHECK_NS);
        }
    }

    private static long callNs(Region region) {
        long start = System.nanoTime();
        for (int i = 0; i < TIMED_CALLS; i++) {
            region.run(null, 0, Region.NOWHERE, 0);
        }
        return (System.nanoTime() - start) / TIMED_CALLS;
    }

    private static long key(int slot, int word) {
        return (long) slot << 32 | word & 0xFFFF_FFFFL;
    }

    /** {@return what was made so far} */
    public Statistics statistics() {
        return new Statistics(made.get(), instructions.get(), makingNs.get(), failures.get());
    }

    /**
     * What a translator did.
     *
     * @param regions      regions made
     * @param instructions guest instructions in them
     * @param makingNs     time that took, the JVM's compiler included, nanoseconds
     * @param failures     regions that could not be made
     */
    public record Statistics(long regions, long instructions, long makingNs, long failures) {
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
