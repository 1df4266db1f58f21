package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * The part of one vCPU's interrupts that stays when its CPU interface is reset: private lines, sleep, whether it is the
 * last of the controller. Guarded by the controller's lock.
 */
final class Redistributor {
    static final int PRIVATE_LINES = 32;

    final Lines lines;
    boolean asleep = true;
    /** GICR_TYPER.Last whatever is attached. */
    boolean forcedLast;

    Redistributor(int index) {
        lines = new Lines(PRIVATE_LINES, index);
        for (int line = 0; line < Intids.FIRST_PPI; line++) {
            lines.set(line, Lines.EDGE_CONFIG, true);
        }
    }

    void describe(StateText text) {
        text.put("asleep", asleep).put("last", forcedLast);
        lines.describe(text);
    }
}
