package gunyah.hyp.pcpu;

import java.util.Arrays;

/** The 64 FIFO run lists of a CPU and the bitmap of those not empty. Higher number = higher priority. */
final class RunQueues {
    private static final int PRIORITIES = 64;

    private final Schedulable[] heads = new Schedulable[PRIORITIES];
    private final Schedulable[] tails = new Schedulable[PRIORITIES];
    private long occupied;

    /** {@return the highest priority with a waiting thread, or -1} */
    int highest() {
        return 63 - Long.numberOfLeadingZeros(occupied);
    }

    /** {@return whether a thread of this priority waits} */
    boolean waits(int priority) {
        return heads[priority] != null;
    }

    void addTail(Schedulable thread) {
        int priority = thread.priority();
        thread.queued = true;
        thread.previous = tails[priority];
        thread.next = null;
        if (tails[priority] == null) {
            heads[priority] = thread;
        } else {
            tails[priority].next = thread;
        }
        tails[priority] = thread;
        occupied |= 1L << priority;
    }

    void addHead(Schedulable thread) {
        int priority = thread.priority();
        thread.queued = true;
        thread.previous = null;
        thread.next = heads[priority];
        if (heads[priority] == null) {
            tails[priority] = thread;
        } else {
            heads[priority].previous = thread;
        }
        heads[priority] = thread;
        occupied |= 1L << priority;
    }

    /** Forgets everybody; the threads keep their links. */
    void clear() {
        Arrays.fill(heads, null);
        Arrays.fill(tails, null);
        occupied = 0;
    }

    /** {@return the head of the best list, or null} */
    Schedulable first() {
        int priority = highest();
        return priority < 0 ? null : heads[priority];
    }

    /** Takes a thread out of wherever it waits; it must be queued here. */
    void remove(Schedulable thread) {
        int priority = thread.priority();
        if (thread.previous == null) {
            heads[priority] = thread.next;
        } else {
            thread.previous.next = thread.next;
        }
        if (thread.next == null) {
            tails[priority] = thread.previous;
        } else {
            thread.next.previous = thread.previous;
        }
        if (heads[priority] == null) {
            occupied &= ~(1L << priority);
        }
        thread.previous = null;
        thread.next = null;
        thread.queued = false;
    }
}
