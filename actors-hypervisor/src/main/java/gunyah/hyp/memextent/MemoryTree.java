package gunyah.hyp.memextent;

import gunyah.memory.FrameOwners;
import gunyah.memory.PhysicalMemory;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The memory of one hypervisor: the arena, who owns each frame, and the lock of everything that spans extents and
 * address spaces. See the package description for the order of locks.
 */
public final class MemoryTree {
    private static final int SPINS = 100;

    private final PhysicalMemory memory;
    private final FrameOwners owners;
    private final ReentrantLock lock = new ReentrantLock();

    public MemoryTree(PhysicalMemory memory, FrameOwners owners) {
        this.memory = memory;
        this.owners = owners;
    }

    /** {@return the arena} */
    public PhysicalMemory memory() {
        return memory;
    }

    /** {@return the ownership database; an owner is an object's id} */
    public FrameOwners owners() {
        return owners;
    }

    /** Takes the memory lock. Held for well under a microsecond per page call, so spinning beats parking. */
    void lock() {
        for (int i = 0; i < SPINS; i++) {
            if (lock.tryLock()) {
                return;
            }
            Thread.onSpinWait();
        }
        lock.lock();
    }

    void unlock() {
        lock.unlock();
    }
}
