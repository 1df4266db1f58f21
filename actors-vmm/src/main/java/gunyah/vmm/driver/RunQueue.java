package gunyah.vmm.driver;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * vCPUs that want a host CPU, in order of arrival, and the host CPUs that have nothing to do. Thread safe, lock free.
 */
final class RunQueue {
    private static final int MAX_CPUS = 64;

    private final ConcurrentLinkedQueue<GunyahVcpu> runnable = new ConcurrentLinkedQueue<>();
    private final AtomicLong idle = new AtomicLong();
    private final HostCpu[] cpus = new HostCpu[MAX_CPUS];

    /** Makes a CPU known, before it first takes. */
    synchronized void add(HostCpu cpu, int index) {
        cpus[index] = cpu;
    }

    /** Queues a vCPU and wakes an idle CPU for it, the one it last ran on if that is idle. */
    void add(GunyahVcpu vcpu, int lastCpu) {
        runnable.add(vcpu);
        wakeOne(lastCpu);
    }

    private void wakeOne(int preferred) {
        while (true) {
            long cpusIdle = idle.get();
            if (cpusIdle == 0) {
                return;
            }
            long bit = (cpusIdle & 1L << preferred) != 0 ? 1L << preferred : Long.lowestOneBit(cpusIdle);
            if (idle.compareAndSet(cpusIdle, cpusIdle & ~bit)) {
                cpus[Long.numberOfTrailingZeros(bit)].kick();
                return;
            }
        }
    }

    /**
     * {@return the next vCPU; null after the CPU was marked idle} The queue is looked at once more after marking, so an
     * add in between is either seen here or sees the mark.
     */
    GunyahVcpu take(int cpu) {
        GunyahVcpu vcpu = runnable.poll();
        if (vcpu != null) {
            return vcpu;
        }
        long bit = 1L << cpu;
        idle.getAndUpdate(mask -> mask | bit);
        vcpu = runnable.poll();
        if (vcpu != null) {
            idle.getAndUpdate(mask -> mask & ~bit);
        }
        return vcpu;
    }

    /** {@return whether somebody waits} */
    boolean hasRunnable() {
        return !runnable.isEmpty();
    }
}
