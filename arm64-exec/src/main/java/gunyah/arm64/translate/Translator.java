package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.translate.RequestQueue.Request;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
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
 * published only when C2 has compiled it (see {@link Compilation}).
 */
public final class Translator implements AutoCloseable {
    /**
     * What is worth translating.
     *
     * @param hot          how many instructions must have been interpreted from a place on, up to the next jump
     * @param lookEvery    after how many of them there is looked for a region that is finished
     * @param inBackground false: the vCPU's thread makes the region at once, uncompiled (for tests)
     * @param headStartMs  time for the JVM to compile our interpreter before regions compete for its compiler
     */
    public record Policy(int hot, int lookEvery, boolean inBackground, long headStartMs) {
        /** Translates what was interpreted for about as long as HotSpot needs for a region, 20 to 50 ms. */
        public static final Policy AUTO = new Policy(2_000_000, 4_096, true, 1_500);
        /** Translates early, for long runs and benchmarks. */
        public static final Policy EAGER = new Policy(10_000, 1_000, true, 0);
        /** Translates a great part of what a guest executes, at once and uncompiled: to compare it. */
        public static final Policy PROOF = new Policy(5_000, 500, false, 0);
        /** Translates whatever is jumped to twice, at once. */
        public static final Policy EVERYTHING = new Policy(2, 1, false, 0);
    }

    /** Regions that are found by others; each takes about 40 KiB of code cache and metaspace. */
    private static final int MOST_REGIONS = Integer.getInteger("gunyah.translator.regions", 5_000);
    /** Regions that wait for the JVM's compiler; more would only make its queue longer. */
    private static final int MAX_PENDING = 4;
    private static final long LOOK_NS = 1_000_000;

    private final Policy policy;
    private final JitLog log;
    private final RegionGates gates;
    /** Null when nothing is kept for other processes. */
    private final CodeCache cache;
    private final int most;
    private final RequestQueue queue = new RequestQueue();
    private final ConcurrentHashMap<Long, List<Region>> regions = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong instructions = new AtomicLong();
    private final AtomicLong makingNs = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong shared = new AtomicLong();
    private final AtomicLong evicted = new AtomicLong();
    /** What can be found, the oldest first; guarded by itself. */
    private final ArrayDeque<Region> order = new ArrayDeque<>();
    /** Regions that a page uses. */
    private final Set<Region> used = ConcurrentHashMap.newKeySet();
    /** Regions that were found since their turn to be evicted came last. */
    private final Set<Region> wanted = ConcurrentHashMap.newKeySet();
    /** Places whose region the JVM did not compile. */
    private final Set<Long> hopeless = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private volatile Thread thread;

    public Translator(Policy policy) {
        this(policy, null, RegionGates.OPEN);
    }

    /** As below, nothing kept. */
    public Translator(Policy policy, JitLog log, RegionGates gates) {
        this(policy, log, gates, null);
    }

    /**
     * @param log   where to say what is done, or null; closed with the translator
     * @param gates have a say before a region runs
     * @param cache where regions are kept for other processes, or null
     */
    public Translator(Policy policy, JitLog log, RegionGates gates, CodeCache cache) {
        this(policy, log, gates, cache, MOST_REGIONS);
    }

    /** @param most how many regions can be found at once; the oldest that nobody looks for are forgotten */
    Translator(Policy policy, JitLog log, RegionGates gates, CodeCache cache, int most) {
        this.policy = policy;
        this.log = log;
        this.gates = gates;
        this.cache = cache;
        this.most = most;
    }

    public Policy policy() {
        return policy;
    }

    /** {@return who has a say before a region runs} */
    public RegionGates gates() {
        return gates;
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
                    if (!used.add(candidate)) {
                        wanted.add(candidate);
                        shared.incrementAndGet();
                    }
                    return candidate;
                }
            }
        }
        return null;
    }

    /** {@return whether another process may have kept a region for {@code word} at {@code slot}} */
    public boolean mayBeKept(int slot, int word) {
        return cache != null && cache.mayHave(slot, word);
    }

    /**
     * Asks for a region; a full queue forgets the coldest, whose code will ask again if it stays hot.
     *
     * @param code where it is to be found when its turn comes
     * @param slot where it is entered
     * @param heat how many instructions were interpreted from there on: the hottest come first
     * @param hot  false: only a region that another process kept is worth it
     */
    public void request(HotCode code, int slot, int heat, boolean hot) {
        if (closed) {
            return;
        }
        Request request = new Request(code, slot, heat, hot);
        if (log != null) {
            log.line("request at %d%s, %,d instructions, %d wait", slot, hot ? "" : " as kept", heat, queue.size());
        }
        if (!policy.inBackground()) {
            make(request);
            return;
        }
        queue.add(request);
        if (started.compareAndSet(false, true)) {
            thread = Thread.ofPlatform().daemon().name("translator").start(this::work);
        }
    }

    private void work() {
        List<Compilation> pending = new ArrayList<>();
        Names.initialize();
        Compilation.leaveToC2();
        try {
            Thread.sleep(policy.headStartMs());
            while (!closed) {
                Request request = pending.isEmpty() ? queue.take() : pending.size() >= MAX_PENDING ? null : queue.poll();
                if (request != null) {
                    start(request, pending);
                } else {
                    TimeUnit.NANOSECONDS.sleep(LOOK_NS);
                }
                pending.removeIf(this::isDone);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void start(Request request, List<Compilation> pending) {
        long start = System.nanoTime();
        int slot = request.slot();
        Insn[] page = request.code().instructions();
        // nothing is decoded there when the code was thrown away since
        if (page[slot] == null || request.code().isTranslated(slot) || hopeless.contains(key(slot, page[slot].word))
                || isBeingMade(page, slot, pending)) {
            return;
        }
        Region region = compile(request, page);
        if (region != null) {
            Compilation compilation = new Compilation(region, start);
            if (compilation.begin()) {
                publish(region, start);
            } else {
                pending.add(compilation);
            }
        }
    }

    /** {@return whether a region that was made for the same place covers what the page holds} */
    private boolean isBeingMade(Insn[] page, int slot, List<Compilation> pending) {
        List<Region> candidates = regions.get(key(slot, page[slot].word));
        return candidates != null && candidates.stream().anyMatch(region -> region.matches(page))
                || pending.stream().map(Compilation::region)
                        .anyMatch(each -> Arrays.binarySearch(each.entries(), slot) >= 0 && each.matches(page));
    }

    private boolean isDone(Compilation pending) {
        Region region = pending.region();
        if (pending.isDone()) {
            publish(region, pending.startNs());
            return true;
        }
        if (pending.isHopeless()) {
            failures.incrementAndGet();
            hopeless.add(key(region.first(), region.word(region.first())));
            if (log != null) {
                log.line("hopeless at %d: %d bytes", region.first(), region.codeBytes());
            }
            return true;
        }
        return false;
    }

    /** On the vCPU's thread, for tests. */
    private void make(Request request) {
        long start = System.nanoTime();
        Insn[] page = request.code().instructions();
        Region region = page[request.slot()] == null ? null : compile(request, page);
        if (region != null) {
            publish(region, start);
        }
    }

    private Region compile(Request request, Insn[] page) {
        try {
            RegionCode kept = cache == null ? null : cache.find(page, request.slot());
            if (kept != null) {
                return kept.load(page);
            }
            if (!request.hot()) {
                return null;
            }
            RegionCode code = RegionCompiler.compile(page, request.code().jumpedFrom(), request.slot());
            Region region = code.load(page);
            if (cache != null) {
                cache.save(code);
            }
            return region;
        } catch (RuntimeException | LinkageError e) {
            // the code stays interpreted, and correct
            failures.incrementAndGet();
            System.getLogger(Translator.class.getName()).log(System.Logger.Level.WARNING, "no region", e);
            return null;
        }
    }

    private void publish(Region region, long startNs) {
        synchronized (order) {
            while (order.size() >= most) {
                evict(order.poll());
            }
            order.add(region);
        }
        for (int entry : region.entries()) {
            regions.computeIfAbsent(key(entry, region.word(entry)), key -> new CopyOnWriteArrayList<>())
                    .addFirst(region);
        }
        long tookNs = System.nanoTime() - startNs;
        if (log != null) {
            log.line("region at %d: %d instructions, %d bytes of bytecode, %.1f ms, entries %s, called %s",
                    region.first(), region.size(), region.codeBytes(), tookNs / 1e6,
                    Arrays.toString(region.entries()), region.called());
        }
        made.incrementAndGet();
        instructions.addAndGet(region.size());
        makingNs.addAndGet(tookNs);
    }

    /** Whoever runs it goes on; nobody else will find it. */
    private void evict(Region region) {
        if (wanted.remove(region)) {
            order.add(region);
            return;
        }
        for (int entry : region.entries()) {
            regions.computeIfPresent(key(entry, region.word(entry)), (key, candidates) -> {
                candidates.remove(region);
                return candidates.isEmpty() ? null : candidates;
            });
        }
        used.remove(region);
        evicted.incrementAndGet();
    }

    static long key(int slot, int word) {
        return (long) slot << 32 | word & 0xFFFF_FFFFL;
    }

    /** {@return what was made so far} */
    public Statistics statistics() {
        return new Statistics(made.get(), instructions.get(), makingNs.get(), failures.get(), shared.get(),
                evicted.get());
    }

    /**
     * What a translator did.
     *
     * @param regions      regions made
     * @param instructions guest instructions in them
     * @param makingNs     time that took, the JVM's compiler included, nanoseconds
     * @param failures     regions that could not be made
     * @param shared       times that a page found a region which another page used already
     * @param evicted      regions that cannot be found any more
     */
    public record Statistics(long regions, long instructions, long makingNs, long failures, long shared, long evicted) {
    }

    /** Makes no more regions. */
    @Override
    public void close() {
        closed = true;
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
        if (log != null) {
            log.line("%s", statistics());
            log.line("%s", gates);
            if (cache != null) {
                log.line("%s", cache.statistics());
            }
            log.close();
        }
    }
}
