package gunyah.hyp.pcpu;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts what keeps the host's cores busy, so that a thread that waits for a hand-over spins only on a core nobody
 * needs. Thread safe; a hint, not a lock.
 */
public final class HostCores {
    private final int cores;
    private final AtomicInteger busyPcpus = new AtomicInteger();
    private final AtomicInteger spinners = new AtomicInteger();

    /** @param cores what the host has */
    public HostCores(int cores) {
        this.cores = cores;
    }

    void pcpuBusy() {
        busyPcpus.incrementAndGet();
    }

    void pcpuIdle() {
        busyPcpus.decrementAndGet();
    }

    /** Asks to spin briefly. {@return whether a core is left; then {@link #endSpin} must follow} */
    public boolean beginSpin() {
        if (busyPcpus.get() + spinners.incrementAndGet() <= cores) {
            return true;
        }
        spinners.decrementAndGet();
        return false;
    }

    public void endSpin() {
        spinners.decrementAndGet();
    }
}
