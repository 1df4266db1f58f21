package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * The part of one vCPU's interrupts that stays when its CPU interface is reset: private lines, the sleep that the guest
 * asked for, what discovery says of it. Guarded by the controller's lock.
 */
final class Redistributor {
    static final int PRIVATE_LINES = 32;

    final Lines lines;
    final AccessStatus status = new AccessStatus();
    /** GICR_WAKER.ProcessorSleep. Clear at first, for guests that do not know of it. */
    boolean asleep;
    /** GICR_TYPER.Last as whoever attached the frame wants it; null: whether it is the highest one attached. */
    Boolean last;
    /** The frame is in an address space. */
    boolean framed;

    Redistributor(int index) {
        lines = new Lines(PRIVATE_LINES, index);
        for (int line = 0; line < Intids.FIRST_PPI; line++) {
            lines.set(line, Lines.EDGE_CONFIG, true);
        }
    }

    void describe(StateText text) {
        text.put("asleep", asleep).put("last", String.valueOf(last)).put("framed", framed);
        text.put("status", status.bits());
        lines.describe(text);
    }
}
