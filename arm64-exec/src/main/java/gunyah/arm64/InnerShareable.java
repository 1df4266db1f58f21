package gunyah.arm64;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.interp.CodePage;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.CodeInvalidation;
import gunyah.arm64.translate.Translator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The inner shareable domain of one VM: what its CPUs share and how they reach each other. It broadcasts TLB
 * maintenance, holds the decoded code of the VM's pages and delivers SEV. All methods may be called from any thread unless
 * they say otherwise.
 *
 * <p>Shoot-downs: a request is queued at every other CPU, whose attention word gets {@link VcpuControl#TLB}; the
 * requester's DSB then waits until each of them drained its queue or is outside guest code. A CPU declares itself inside
 * guest code <em>before</em> it looks at its attention word, and a requester looks at that declaration <em>after</em>
 * raising the bit (both sequentially consistent), so one of the two always sees the other. While waiting a CPU answers
 * its own requests, therefore two CPUs may wait for each other.
 *
 * <p>Stores to decoded code are not watched: the architecture makes software invalidate what it writes as code
 * (CTR_EL0.DIC is 0), and watched pages would make every store to data beside code slow. What the owner of the memory
 * writes it announces with {@link #invalidateAllCode}.
 */
public final class InnerShareable implements CodeInvalidation {
    private static final int SPINS_BEFORE_PARK = 1000;
    private static final long PARK_NS = 20_000;

    private final Decoder decoder;
    /** Null when code is only interpreted. */
    private final Translator translator;
    private final ConcurrentHashMap<Long, CodePage> codePages = new ConcurrentHashMap<>();
    private volatile Cpu[] cpus = {};
    private volatile int codeGeneration;
    private volatile int evictions;

    /** A domain of CPUs with these features that only interpret. */
    public InnerShareable(CpuFeatures features) {
        this(features, null);
    }

    /** A domain of CPUs with these features whose hot code is translated, or not when {@code translator} is null. */
    public InnerShareable(CpuFeatures features, Translator translator) {
        decoder = Decoder.of(features);
        this.translator = translator;
    }

    /** {@return the translator of its code, null when code is only interpreted} */
    public Translator translator() {
        return translator;
    }

    /** Adds a CPU; called by its constructor. */
    synchronized void join(Cpu cpu) {
        Cpu[] joined = java.util.Arrays.copyOf(cpus, cpus.length + 1);
        joined[cpus.length] = cpu;
        cpus = joined;
    }

    /** Takes a CPU that will not run any more out of the domain. */
    public synchronized void leave(Cpu cpu) {
        cpus = java.util.Arrays.stream(cpus).filter(each -> each != cpu).toArray(Cpu[]::new);
    }

    /** SEV: sets the event register of every CPU. */
    public void sendEvent() {
        for (Cpu cpu : cpus) {
            cpu.control.raise(VcpuControl.EVENT);
        }
    }

    /** Queues a TLB maintenance operation at every CPU but {@code from}, whose thread calls. */
    public void broadcastTlbi(Cpu from, long operation, long operand) {
        for (Cpu cpu : cpus) {
            if (cpu != from) {
                cpu.shootdowns.post(operation, operand);
                cpu.control.raise(VcpuControl.TLB);
            }
        }
    }

    /** Waits until every broadcast made so far is done everywhere; {@code from}'s thread calls, inside guest code. */
    public void awaitShootdown(Cpu from) {
        Cpu[] all = cpus;
        if (all.length == 1) {
            return;
        }
        for (Cpu cpu : all) {
            for (int spins = 0; cpu != from && cpu.control.inGuest && cpu.shootdowns.isPending(); spins++) {
                from.drainShootdowns();
                pause(spins);
            }
        }
    }

    /**
     * Asks every CPU to drop cached stage-2 translations. The caller has changed the table and bumped its epoch before;
     * {@link #stage2Synced} tells when all have.
     */
    public void requestStage2Sync() {
        for (Cpu cpu : cpus) {
            cpu.control.raise(VcpuControl.TLB);
        }
    }

    /** {@return whether no CPU can use a translation from before stage-2 {@code epoch}} After {@link #requestStage2Sync}. */
    public boolean stage2Synced(int epoch) {
        for (Cpu cpu : cpus) {
            if (cpu.control.inGuest && cpu.stage2EpochSeen() - epoch < 0) {
                return false;
            }
        }
        return true;
    }

    /** Waits for {@link #stage2Synced}. Not from inside guest code. */
    public void awaitStage2Sync(int epoch) {
        for (int spins = 0; !stage2Synced(epoch); spins++) {
            pause(spins);
        }
    }

    private static void pause(int spins) {
        if (spins < SPINS_BEFORE_PARK) {
            Thread.onSpinWait();
        } else {
            LockSupport.parkNanos(PARK_NS);
        }
    }

    /** {@return the decoded code of the page at host address {@code hostPage}} */
    public CodePage codePage(long hostPage) {
        CodePage page = codePages.get(hostPage);
        return page != null ? page
                : codePages.computeIfAbsent(hostPage, at -> new CodePage(at, decoder, translator, codeGeneration));
    }

    /** {@return how often all decoded code became suspect; pages of an older generation are compared with memory} */
    public int codeGeneration() {
        return codeGeneration;
    }

    @Override
    public void invalidateCode(long hostLine) {
        CodePage page = codePages.get(hostLine & -4096);
        if (page != null && page.forgetChanged((int) (hostLine & 4095) >>> 2 & ~15, 16)) {
            evict();
        }
    }

    private synchronized void evict() {
        evictions++;
    }

    /** {@return how often a page lost translated code} Who remembers regions forgets them when this changes. */
    public int evictions() {
        return evictions;
    }

    @Override
    public synchronized void invalidateAllCode() {
        codeGeneration++;
    }

    /** Forgets all decoded code: for owners whose pages go to other uses. No CPU of the domain is in guest code. */
    public void dropAllCode() {
        codePages.clear();
        invalidateAllCode();
        evict();
    }
}
