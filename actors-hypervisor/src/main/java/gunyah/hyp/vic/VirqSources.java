package gunyah.hyp.vic;

import gunyah.hyp.HypError;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import gunyah.hyp.trace.TraceSink;
import java.util.function.IntConsumer;

/**
 * The sources bound to lines of one controller (Gunyah hyp/interfaces/virq): one line for one source. An assertion
 * latches the edge and, unless it is edge only, the level; a level goes lazily, when its interrupt is deactivated and
 * the source says so.
 */
final class VirqSources {
    private final VirqController controller;
    private final Delivery delivery;
    private final JavaInterrupts java;
    /** Null for none. */
    private final TraceSink trace;
    private Distributor distributor;

    VirqSources(VirqController controller, Delivery delivery, JavaInterrupts java, TraceSink trace) {
        this.controller = controller;
        this.delivery = delivery;
        this.java = java;
        this.trace = trace;
    }

    /** The controller is activated. */
    void distributor(Distributor newDistributor) {
        distributor = newDistributor;
    }

    HypError bind(VirqSource source, int virq) {
        int slot = distributor.intids.slotOfVirq(virq);
        return !distributor.intids.bindable(slot) || virq >>> 24 != 0 ? HypError.ARGUMENT_INVALID
                : bind(distributor.lines, slot, source, virq);
    }

    HypError bindPrivate(VirqSource source, int index, int ppi) {
        CpuInterface cpu = delivery.cpu(index);
        return cpu == null || ppi < Intids.FIRST_PPI || ppi >= Intids.FIRST_SPI ? HypError.ARGUMENT_INVALID
                : bind(cpu.redistributor.lines, ppi, source, index << 24 | ppi);
    }

    private HypError bind(Lines lines, int line, VirqSource source, int virq) {
        delivery.begin();
        try {
            if (source.boundController() != null) {
                return HypError.VIRQ_BOUND;
            }
            if (lines.source[line] != null) {
                return HypError.BUSY;
            }
            lines.source[line] = source;
            source.attach(controller, virq);
            return HypError.OK;
        } finally {
            delivery.end();
        }
    }

    void unbind(VirqSource source) {
        delivery.begin();
        try {
            Lines lines = linesOf(source);
            if (lines != null) {
                int line = lineOf(source);
                detach(lines, line);
                delivery.refresh(lines, line);
            }
        } finally {
            delivery.end();
        }
    }

    /** The controller goes: unbinds the shared lines. The private ones are unbound by the vCPUs. */
    void unbindAll() {
        delivery.begin();
        try {
            for (int line = Intids.FIRST_SPI; line < distributor.lines.count; line++) {
                detach(distributor.lines, line);
            }
        } finally {
            delivery.end();
        }
    }

    private static void detach(Lines lines, int line) {
        VirqSource source = lines.source[line];
        if (source != null) {
            lines.source[line] = null;
            lines.set(line, Lines.EDGE | Lines.LEVEL_SOURCE, false);
            source.attach(null, 0);
        }
    }

    void assertSource(VirqSource source, boolean edgeOnly) {
        IntConsumer handler = null;
        int line;
        int target;
        delivery.begin();
        try {
            Lines lines = linesOf(source);
            if (lines == null) {
                return;
            }
            line = lineOf(source);
            target = line < Intids.FIRST_SPI ? lines.target[line] : Lines.NOWHERE;
            if (java.inUse()) {
                handler = java.take(line);
            } else {
                lines.assertions[line]++;
                lines.set(line, edgeOnly ? Lines.EDGE : Lines.EDGE | Lines.LEVEL_SOURCE, true);
                delivery.refresh(lines, line);
            }
        } finally {
            delivery.end();
        }
        if (trace != null) {
            trace.virq(delivery.vmid(), target, Intids.intid(line));
        }
        if (handler != null) {
            handler.accept(Intids.intid(line));
        }
    }

    void clearSource(VirqSource source) {
        delivery.begin();
        try {
            Lines lines = linesOf(source);
            if (lines != null) {
                int line = lineOf(source);
                lines.set(line, Lines.EDGE | Lines.LEVEL_SOURCE, false);
                java.forget(line);
                delivery.refresh(lines, line);
            }
        } finally {
            delivery.end();
        }
    }

    private int lineOf(VirqSource source) {
        return distributor.intids.slotOfVirq(source.boundVirq());
    }

    /** {@return the bank that has this source now, or null} */
    private Lines linesOf(VirqSource source) {
        int virq = source.boundVirq();
        if (virq == -1 || source.boundController() != controller) {
            return null;
        }
        int line = distributor.intids.slotOfVirq(virq);
        CpuInterface cpu = line >= Intids.FIRST_SPI ? null : delivery.cpu(virq >>> 24);
        Lines lines = line >= Intids.FIRST_SPI ? distributor.lines : cpu == null ? null : cpu.redistributor.lines;
        return lines != null && lines.source[line] == source ? lines : null;
    }

    /**
     * A guest's write to a register with one bit per line. Where it withdraws interrupts (disable, clear pending,
     * deactivate) the levels of their sources are looked at first, as at the end of an interrupt.
     *
     * @param first the line of bit 0
     * @param end   the line after the last of the register's array
     */
    void write(LineRegisters.Bank bank, Lines lines, int first, int end, int value) {
        if (bank.withdraws()) {
            checkLevels(lines, first, end, value);
        }
        delivery.begin();
        try {
            LineRegisters.writeBits(bank, lines, first, end, value);
            delivery.mark(lines, first, 32);
            delivery.signalAll();
        } finally {
            delivery.end();
        }
    }

    /** Looks at the level sources of lines whose bit is set. */
    void checkLevels(Lines lines, int first, int end, int selected) {
        for (int left = selected; left != 0; left &= left - 1) {
            int line = first + Integer.numberOfTrailingZeros(left);
            if (line < end && lines.source[line] != null) {
                settle(lines, line, false);
            }
        }
    }

    /** An interrupt ended: looks at the level of its source, then it may be delivered again. */
    void deactivate(Lines lines, int line) {
        settle(lines, line, true);
    }

    /**
     * With the lock held: as {@link #deactivate} when no source has to be asked.
     *
     * @return false when one has to: nothing is done
     */
    boolean deactivateAtOnce(Lines lines, int line) {
        if (hasToAsk(lines, line)) {
            return false;
        }
        lines.set(line, Lines.ACTIVE, false);
        delivery.refresh(lines, line);
        return true;
    }

    private static boolean hasToAsk(Lines lines, int line) {
        return (lines.bits[line] & (Lines.LEVEL_SOURCE | Lines.EDGE_CONFIG)) == Lines.LEVEL_SOURCE;
    }

    /** The lazy deassertion of a level; the source is asked without the lock, it may have one of its own. */
    private void settle(Lines lines, int line, boolean deactivates) {
        VirqSource source;
        int assertions;
        boolean reasserted;
        delivery.begin();
        try {
            source = lines.source[line];
            assertions = lines.assertions[line];
            reasserted = lines.is(line, Lines.EDGE);
            if (source == null || !hasToAsk(lines, line)) {
                source = null;
                apply(lines, line, deactivates);
            }
        } finally {
            delivery.end();
        }
        if (source == null) {
            return;
        }
        boolean stays = source.checkPending(reasserted);
        delivery.begin();
        try {
            if (!stays) {
                // A newer assertion keeps the level: a spurious interrupt is allowed, a lost one is not.
                boolean newer = lines.assertions[line] != assertions;
                if (!newer && !reasserted) {
                    lines.set(line, Lines.LEVEL_SOURCE, false);
                }
                lines.set(line, Lines.EDGE, newer);
            }
            apply(lines, line, deactivates);
        } finally {
            delivery.end();
        }
    }

    private void apply(Lines lines, int line, boolean deactivates) {
        if (deactivates) {
            lines.set(line, Lines.ACTIVE, false);
        }
        delivery.refresh(lines, line);
    }
}
