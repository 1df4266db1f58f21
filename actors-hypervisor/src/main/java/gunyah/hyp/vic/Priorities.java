package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * What may pre-empt what on one vCPU: priority mask, binary points and the active priorities of both groups, five bits
 * of priority (IHI 0069, 4.8). Lower is more urgent. Guarded by the controller's lock.
 */
final class Priorities {
    /** The implemented bits of a priority. */
    static final int MASK = 0xF8;
    /** Running priority when nothing is active. */
    static final int IDLE = 0xFF;

    private static final int SHIFT = 3;
    private static final int MIN_BPR0 = 2;
    private static final int MIN_BPR1 = 3;

    private int mask;
    private int bpr0 = MIN_BPR0;
    private int bpr1 = MIN_BPR1;
    private boolean commonBinaryPoint;
    private int active0;
    private int active1;

    void reset() {
        mask = 0;
        bpr0 = MIN_BPR0;
        bpr1 = MIN_BPR1;
        commonBinaryPoint = false;
        active0 = 0;
        active1 = 0;
    }

    void describe(StateText text) {
        text.put("pmr", mask).put("bpr0", bpr0).put("bpr1", bpr1).put("cbpr", commonBinaryPoint);
        text.put("ap0r", active0).put("ap1r", active1);
    }

    /** {@return whether an interrupt of this priority may preempt what runs now} */
    boolean preempts(int priority, boolean group1) {
        int running = running();
        return priority < mask && (running == IDLE
                || groupPriority(priority, group1) < groupPriority(running, group1));
    }

    int running() {
        int active = active0 | active1;
        return active == 0 ? IDLE : Integer.numberOfTrailingZeros(active) << SHIFT;
    }

    private int groupPriority(int priority, boolean group1) {
        // The non-secure view of BPR1 is one more than BPR0's for the same split.
        int subPriorityBits = group1 && !commonBinaryPoint ? bpr1 : bpr0 + 1;
        return priority & -1 << subPriorityBits & IDLE;
    }

    void activate(int priority, boolean group1) {
        int bit = 1 << (groupPriority(priority, group1) >> SHIFT);
        if (group1) {
            active1 |= bit;
        } else {
            active0 |= bit;
        }
    }

    void drop(boolean group1) {
        if (group1) {
            active1 &= active1 - 1;
        } else {
            active0 &= active0 - 1;
        }
    }

    // Registers.

    int mask() {
        return mask;
    }

    void mask(long value) {
        mask = (int) value & MASK;
    }

    /** {@return BPR0 or BPR1; the latter follows BPR0 while CTLR.CBPR makes that one common} */
    int binaryPoint(boolean group1) {
        return !group1 ? bpr0 : commonBinaryPoint ? Math.min(bpr0 + 1, 7) : bpr1;
    }

    void binaryPoint(boolean group1, long value) {
        if (group1) {
            bpr1 = commonBinaryPoint ? bpr1 : Math.max((int) value & 7, MIN_BPR1);
        } else {
            bpr0 = Math.max((int) value & 7, MIN_BPR0);
        }
    }

    boolean commonBinaryPoint() {
        return commonBinaryPoint;
    }

    void commonBinaryPoint(boolean value) {
        commonBinaryPoint = value;
    }

    long active(boolean group1) {
        return (group1 ? active1 : active0) & 0xFFFF_FFFFL;
    }

    void active(boolean group1, long value) {
        if (group1) {
            active1 = (int) value;
        } else {
            active0 = (int) value;
        }
    }
}
