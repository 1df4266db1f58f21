package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes regions of hot code, and keeps them by content: whoever has the same code, of the same VM or of another, finds
 * them. It touches decoded instructions only, never guest memory. Thread safe.
 *
 * <p>A new class is run by the JVM's own interpreter at first, and then by C1's code, slower than ours; so a region is
 * published only when C2 has compiled it, which calls that do nothing make it do.
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
    /** Regions that wait for the JVM's compiler; more would only make its queue longer. */
    private static final int MAX_PENDING = 4;
    /** Makes HotSpot compile a method whose thresholds are scaled down (see the program's start script). */
    private static final int WARM_UP_CALLS = 4;
    private static final int TIMED_CALLS = 2;
    /** A call that does nothing takes a few nanoseconds in C2's code, which drops its allocations; else microseconds. */
    private static final long COMPILED_CALL_NS = 400;
    private static final long FIRST_CHECK_NS = 2_000_000;
    /** A region that is not compiled by then never is: too large, or the JVM has no room. */
    private static final long LAST_CHECK_NS = 20_000_000_000L;

    /** A region that the JVM compiles. */
    private static final class Pending {
        private final Region region;
        private final long startNs;
        private long waitNs = FIRST_CHECK_NS;
        private long checkNs;

        private Pending(Region region, long startNs) {
            this.region = region;
            this.startNs = startNs;
            checkNs = System.nanoTime() + waitNs;
        }

        /** Few calls: their profile must not tell the compiler that doing nothing is what a region is for. */
        private boolean isCompiled() {
            if (System.nanoTime() < checkNs) {
                return false;
            }
            if (callNs(region) <= COMPILED_CALL_NS) {
                return true;
            }
            waitNs += waitNs / 3;
            checkNs = System.nanoTime() + waitNs;
            return false;
        }
    }

    private record Request(Insn[] page, BitSet arrived, int slot) {
    }

    private final Policy policy;
    private final BlockingQueue<Request> queue = new ArrayBlockingQueue<>(QUEUE);
    private final ConcurrentHashMap<Long, List<Region>> regions = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong instructions = new AtomicLong();
    private final AtomicLong makingNs = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    /** Places whose region the JVM did not compile. */
    private final Set<Long> hopeless = ConcurrentHashMap.newKeySet();
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
     * @param page    decoded instructions by slot, null where there is none; not changed any more
     * @param arrived slots that jumps went to; not changed any more
     * @param slot    where it is entered
     */
    public void request(Insn[] page, BitSet arrived, int slot) {
        // nothing is decoded there when the code was thrown away since
        if (closed || made.get() >= MAX_REGIONS || page[slot] == null) {
            return;
        }
        Request request = new Request(page, arrived, slot);
        if (!policy.inBackground()) {
            make(request);
        } else if (queue.offer(request) && started.compareAndSet(false, true)) {
            thread = Thread.ofPlatform().daemon().name("translator").start(this::work);
        }
    }

    private void work() {
        List<Pending> pending = new ArrayList<>();
        Names.initialize();
        try {
            Thread.sleep(policy.headStartMs());
            while (!closed) {
                Request request = pending.isEmpty() ? queue.take() : pending.size() >= MAX_PENDING ? null : queue.poll();
                if (request != null) {
                    start(request, pending);
                } else {
                    TimeUnit.NANOSECONDS.sleep(FIRST_CHECK_NS / 2);
                }
                pending.removeIf(this::isDone);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void start(Request request, List<Pending> pending) {
        long start = System.nanoTime();
        int word = request.page[request.slot].word;
        if (hopeless.contains(key(request.slot, word)) || isBeingMade(request, word, pending)) {
            return;
        }
        Region region = compile(request);
        if (region != null) {
            for (int i = 0; i < WARM_UP_CALLS; i++) {
                region.run(null, 0, Region.NOWHERE, 0);
            }
            pending.add(new Pending(region, start));
        }
    }

    /** {@return whether a region that was made for the same place covers what the page holds} */
    private boolean isBeingMade(Request request, int word, List<Pending> pending) {
        List<Region> candidates = regions.get(key(request.slot, word));
        return candidates != null && candidates.stream().anyMatch(region -> region.matches(request.page))
                || pending.stream().anyMatch(each -> each.region.first() == request.slot
                        && each.region.matches(request.page));
    }

    private boolean isDone(Pending pending) {
        if (pending.isCompiled()) {
            publish(pending.region, pending.startNs);
            return true;
        }
        if (System.nanoTime() - pending.startNs > LAST_CHECK_NS) {
            failures.incrementAndGet();
            hopeless.add(key(pending.region.first(), pending.region.word(pending.region.first())));
            return true;
        }
        return false;
    }

    /** On the vCPU's thread, for tests. */
    private void make(Request request) {
        long start = System.nanoTime();
        Region region = compile(request);
        if (region != null) {
            publish(region, start);
        }
    }

    private Region compile(Request request) {
        try {
            return RegionCompiler.compile(request.page, request.arrived, request.slot);
        } catch (RuntimeException | LinkageError e) {
            // the code stays interpreted, and correct
            failures.incrementAndGet();
            System.getLogger(Translator.class.getName()).log(System.Logger.Level.WARNING, "no region", e);
            return null;
        }
    }

    private void publish(Region region, long startNs) {
        for (int entry : region.entries()) {
            regions.computeIfAbsent(key(entry, region.word(entry)), key -> new CopyOnWriteArrayList<>())
                    .addFirst(region);
        }
        made.incrementAndGet();
        instructions.addAndGet(region.size());
        makingNs.addAndGet(System.nanoTime() - startNs);
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
