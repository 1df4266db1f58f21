package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * The GIC CPU interface of one vCPU: which interrupt it is signalled, what it acknowledges and ends. Guarded by the
 * controller's lock.
 */
final class CpuInterface {
    private static final int CTLR_CBPR = 1;
    private static final int CTLR_EOI_MODE = 1 << 1;
    /** PRIbits = 4 (five bits), A3V, RSS. */
    private static final int CTLR_FIXED = 4 << 8 | 1 << 15 | 1 << 18;
    private static final int CTLR_EXT_RANGE = 1 << 19;

    final int index;
    final VicTarget target;
    final Redistributor redistributor;
    final Priorities priorities = new Priorities();
    private final Distributor distributor;
    private final Candidates candidates;
    private boolean splitEoi;
    private boolean group0Enabled;
    private boolean group1Enabled;
    private long acknowledged;
    private boolean irq;
    private boolean fiq;

    CpuInterface(int index, VicTarget target, Distributor distributor) {
        this.index = index;
        this.target = target;
        this.distributor = distributor;
        redistributor = new Redistributor(index);
        candidates = new Candidates(distributor.intids.slots());
    }

    void describe(StateText text) {
        priorities.describe(text);
        text.put("eoi.split", splitEoi).put("group0", group0Enabled).put("group1", group1Enabled);
        redistributor.describe(text);
    }

    /** Warm reset of the CPU interface registers; the redistributor keeps its state. */
    void reset() {
        priorities.reset();
        splitEoi = false;
        group0Enabled = false;
        group1Enabled = false;
    }

    /** {@return the bank of a slot, which is the line's index in it} */
    Lines lines(int slot) {
        return slot < Intids.FIRST_SPI ? redistributor.lines : distributor.lines;
    }

    int priority(int slot) {
        return lines(slot).priority[slot] & 0xFF;
    }

    boolean isGroup1(int slot) {
        return lines(slot).is(slot, Lines.GROUP1);
    }

    void candidate(int slot, boolean value) {
        candidates.set(slot, value);
    }

    private int highestPending() {
        return candidates.highest(this, group0Enabled && distributor.enables(0),
                group1Enabled && distributor.enables(1));
    }

    /** Sets the vCPU's inputs. {@return whether one of them rose} */
    boolean signal() {
        int slot = highestPending();
        boolean group1 = slot != Candidates.NONE && isGroup1(slot);
        boolean signalled = slot != Candidates.NONE && priorities.preempts(priority(slot), group1);
        boolean newIrq = signalled && group1;
        boolean newFiq = signalled && !group1;
        if (newIrq == irq && newFiq == fiq) {
            return false;
        }
        boolean rises = newIrq && !irq || newFiq && !fiq;
        irq = newIrq;
        fiq = newFiq;
        target.interruptLines(irq, fiq);
        return rises;
    }

    /** {@return interrupts read from IAR} */
    long acknowledged() {
        return acknowledged;
    }

    // Registers.

    /** ICC_HPPIR. {@return an INTID} */
    int highestPending(boolean group1) {
        int slot = highestPending();
        return slot == Candidates.NONE || isGroup1(slot) != group1 ? Intids.SPURIOUS : Intids.intid(slot);
    }

    /** ICC_IAR. {@return the slot, or {@link Candidates#NONE}} */
    int acknowledge(boolean group1) {
        int slot = highestPending();
        if (slot == Candidates.NONE || isGroup1(slot) != group1 || !priorities.preempts(priority(slot), group1)) {
            return Candidates.NONE;
        }
        lines(slot).acknowledge(slot);
        priorities.activate(priority(slot), group1);
        acknowledged++;
        return slot;
    }

    boolean splitEoi() {
        return splitEoi;
    }

    boolean groupEnabled(boolean group1) {
        return group1 ? group1Enabled : group0Enabled;
    }

    void groupEnabled(boolean group1, boolean value) {
        if (group1) {
            group1Enabled = value;
        } else {
            group0Enabled = value;
        }
    }

    int control() {
        return (priorities.commonBinaryPoint() ? CTLR_CBPR : 0) | (splitEoi ? CTLR_EOI_MODE : 0) | CTLR_FIXED
                | (distributor.intids.extended() ? CTLR_EXT_RANGE : 0);
    }

    void control(long value) {
        priorities.commonBinaryPoint((value & CTLR_CBPR) != 0);
        splitEoi = (value & CTLR_EOI_MODE) != 0;
    }
}
