package gunyah.hyp.vic;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The way from a changed line to a vCPU: the controller's lock, its CPU interfaces, and who became interruptible while
 * the lock was held. Those are woken after it is released, so waking may raise interrupts at other controllers.
 */
final class Delivery {
    private final ReentrantLock lock = new ReentrantLock();
    private final CpuInterface[] cpus = new CpuInterface[Vic.MAX_VCPUS];
    /** Bit per vCPU. */
    private long risen;

    void begin() {
        lock.lock();
    }

    /** Releases the lock and wakes. */
    void end() {
        long toWake = risen;
        risen = 0;
        lock.unlock();
        for (long left = toWake; left != 0; left &= left - 1) {
            CpuInterface cpu = cpus[Long.numberOfTrailingZeros(left)];
            if (cpu != null) {
                cpu.target.interruptPending();
            }
        }
    }

    /** {@return the interface of this index, or null} */
    CpuInterface cpu(int index) {
        return index < 0 || index >= cpus.length ? null : cpus[index];
    }

    /** {@return whether no vCPU of a higher index is attached} */
    boolean isLast(int index) {
        for (int later = index + 1; later < cpus.length; later++) {
            if (cpus[later] != null) {
                return false;
            }
        }
        return true;
    }

    /** {@return the VM of the vCPUs attached here, -1 without one} */
    int vmid() {
        for (CpuInterface cpu : cpus) {
            if (cpu != null) {
                return cpu.target.vmid();
            }
        }
        return -1;
    }

    // With the lock held.

    void cpu(int index, CpuInterface cpu) {
        cpus[index] = cpu;
    }

    /** A line changed: recomputes it and the inputs of the vCPU it goes to. */
    void refresh(Lines lines, int line) {
        CpuInterface cpu = cpu(lines.target[line]);
        if (cpu != null) {
            cpu.candidate(line, lines.candidate(line));
            signal(cpu);
        }
    }

    /** Lines changed by one register access, which {@link #signalAll} ends. */
    void mark(Lines lines, int first, int count) {
        for (int line = first; line < Math.min(first + count, lines.count); line++) {
            CpuInterface cpu = cpu(lines.target[line]);
            if (cpu != null) {
                cpu.candidate(line, lines.candidate(line));
            }
        }
    }

    /** The line goes elsewhere from now on; as {@link #mark}. */
    void move(Lines lines, int line, int index) {
        CpuInterface old = cpu(lines.target[line]);
        if (old != null) {
            old.candidate(line, false);
        }
        lines.target[line] = index;
        mark(lines, line, 1);
    }

    /** Brings the interrupt inputs of a vCPU up to date. */
    void signal(CpuInterface cpu) {
        if (cpu.signal()) {
            risen |= 1L << cpu.index;
        }
    }

    void signalAll() {
        for (CpuInterface cpu : cpus) {
            if (cpu != null) {
                signal(cpu);
            }
        }
    }
}
