package gunyah.arm64;

import gunyah.arm64.mmu.Mmu;

/**
 * TLB maintenance that other CPUs ask of one CPU: a bounded queue that turns into "everything" when it overflows.
 * Posted by any CPU's thread, drained by the owning CPU's thread.
 */
final class Shootdowns {
    private static final int CAPACITY = 64;

    private final long[] requests = new long[2 * CAPACITY];
    private int count;
    private boolean everything;
    /** Volatile: set after a request is queued, cleared after the last one is applied; read by waiting requesters. */
    private volatile boolean pending;

    synchronized void post(long operation, long operand) {
        if (count == CAPACITY) {
            everything = true;
        } else {
            requests[2 * count] = operation;
            requests[2 * count + 1] = operand;
            count++;
        }
        pending = true;
    }

    /** {@return whether some request is not applied yet} */
    boolean isPending() {
        return pending;
    }

    /** Applies all requests. */
    synchronized void drain(Mmu mmu) {
        if (!pending) {
            return;
        }
        if (everything) {
            mmu.invalidate(Mmu.TLBI_ALL, 0);
        } else {
            for (int i = 0; i < count; i++) {
                mmu.invalidate(requests[2 * i], requests[2 * i + 1]);
            }
        }
        count = 0;
        everything = false;
        pending = false;
    }
}
