package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * The GIC CPU interface and the private lines of one vCPU: which interrupt competes, priorities, preemption. Interrupts
 * are numbered by slot (see {@link Vic#slot}). Guarded by the controller's lock.
 */
final class CpuInterface {
    static final int PRIVATE_LINES = 32;
    /** Five priority bits. */
    static final int PRIORITY_MASK = 0xF8;
    static final int IDLE_PRIORITY = 0xFF;
    static final int NONE = -1;

    private static final int PRIORITY_SHIFT = 3;
    private static final int CTLR_CBPR = 1;
    private static final int CTLR_EOI_MODE = 1 << 1;
    /** PRIbits = 4 (five bits), A3V, RSS. */
    private static final int CTLR_FIXED = 4 << 8 | 1 << 15 | 1 << 18;
    private static final int CTLR_EXT_RANGE = 1 << 19;
    private static final int MIN_BPR0 = 2;
    private static final int MIN_BPR1 = 3;
    private static final int SGI_LINES = 16;

    final int index;
    final VicTarget target;
    final Lines lines = new Lines(PRIVATE_LINES);
    private final long[] candidates;
    private int candidateCount;

    boolean asleep = true;
    int pmr;
    int bpr0 = MIN_BPR0;
    int bpr1 = MIN_BPR1;
    int ctlr;
    boolean group0Enabled;
    boolean group1Enabled;
    int ap0r;
    int ap1r;

    /** GICR_TYPER.Last whatever is attached. */
    boolean forcedLast;
    /** Interrupts read from IAR. */
    long acknowledged;
    boolean irq;
    boolean fiq;

    CpuInterface(int index, VicTarget target, int slots) {
        this.index = index;
        this.target = target;
        candidates = new long[(slots + 63) / 64];
        for (int line = 0; line < SGI_LINES; line++) {
            lines.set(line, Lines.EDGE_CONFIG, true);
        }
    }

    void describe(StateText text) {
        text.put("asleep", asleep).put("pmr", pmr).put("bpr0", bpr0).put("bpr1", bpr1).put("ctlr", ctlr);
        text.put("group0", group0Enabled).put("group1", group1Enabled).put("ap0r", ap0r).put("ap1r", ap1r);
        text.put("last", forcedLast);
        lines.describe(text);
    }

    /** Warm reset of the CPU interface registers; the redistributor keeps its state. */
    void reset() {
        pmr = 0;
        bpr0 = MIN_BPR0;
        bpr1 = MIN_BPR1;
        ctlr = 0;
        group0Enabled = false;
        group1Enabled = false;
        ap0r = 0;
        ap1r = 0;
    }

    void candidate(int slot, boolean value) {
        long bit = 1L << slot;
        boolean before = (candidates[slot >> 6] & bit) != 0;
        if (before != value) {
            candidates[slot >> 6] ^= bit;
            candidateCount += value ? 1 : -1;
        }
    }

    /** {@return the slot of the highest priority pending interrupt of an enabled group, or {@link #NONE}} */
    int highestPending(Vic vic) {
        if (candidateCount == 0 || asleep) {
            return NONE;
        }
        boolean group0 = group0Enabled && vic.distributorEnables(0);
        boolean group1 = group1Enabled && vic.distributorEnables(1);
        int best = NONE;
        int bestPriority = IDLE_PRIORITY + 1;
        for (int word = 0; word < candidates.length; word++) {
            for (long left = candidates[word]; left != 0; left &= left - 1) {
                int slot = (word << 6) + Long.numberOfTrailingZeros(left);
                int priority = vic.priority(this, slot);
                if (priority < bestPriority && (vic.isGroup1(this, slot) ? group1 : group0)) {
                    best = slot;
                    bestPriority = priority;
                }
            }
        }
        return best;
    }

    /** {@return whether an interrupt of this priority may preempt what runs now} */
    boolean preempts(int priority, boolean group1) {
        return priority < pmr && groupPriority(priority, group1) < runningPriority();
    }

    int runningPriority() {
        int active = ap0r | ap1r;
        return active == 0 ? IDLE_PRIORITY : Integer.numberOfTrailingZeros(active) << PRIORITY_SHIFT;
    }

    private int groupPriority(int priority, boolean group1) {
        // The non-secure view of BPR1 is one more than BPR0's for the same split.
        int subPriorityBits = group1 && (ctlr & CTLR_CBPR) == 0 ? bpr1 : bpr0 + 1;
        return priority & -1 << subPriorityBits & IDLE_PRIORITY;
    }

    void activate(int priority, boolean group1) {
        int bit = 1 << (groupPriority(priority, group1) >> PRIORITY_SHIFT);
        if (group1) {
            ap1r |= bit;
        } else {
            ap0r |= bit;
        }
    }

    void dropPriority(boolean group1) {
        if (group1) {
            ap1r &= ap1r - 1;
        } else {
            ap0r &= ap0r - 1;
        }
    }

    boolean splitEoi() {
        return (ctlr & CTLR_EOI_MODE) != 0;
    }

    int readCtlr(boolean extendedRange) {
        return ctlr | CTLR_FIXED | (extendedRange ? CTLR_EXT_RANGE : 0);
    }

    void writeCtlr(long value) {
        ctlr = (int) value & (CTLR_CBPR | CTLR_EOI_MODE);
    }

    void writeBpr0(long value) {
        bpr0 = Math.max((int) value & 7, MIN_BPR0);
    }

    void writeBpr1(long value) {
        bpr1 = Math.max((int) value & 7, MIN_BPR1);
    }
}
