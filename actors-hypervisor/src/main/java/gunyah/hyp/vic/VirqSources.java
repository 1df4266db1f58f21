package gunyah.hyp.vic;

import gunyah.hyp.HypError;
import gunyah.hyp.TraceSink;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
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
        return slot < Intids.FIRST_SPI || virq >>> 24 != 0 ? HypError.ARGUMENT_INVALID
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

    /** The lazy deassertion of a level; the source is asked without the lock, it may have one of its own. */
    void checkPending(Lines lines, int line) {
        VirqSource source;
        int assertions;
        boolean reasserted;
        delivery.begin();
        try {
            source = lines.source[line];
            if (source == null || !lines.is(line, Lines.LEVEL_SOURCE) || lines.is(line, Lines.EDGE_CONFIG)) {
                return;
            }
            assertions = lines.assertions[line];
            reasserted = lines.is(line, Lines.EDGE);
        } finally {
            delivery.end();
        }
        if (source.checkPending(reasserted)) {
            return;
        }
        delivery.begin();
        try {
            // A newer assertion keeps the level: a spurious interrupt is allowed, a lost one is not.
            if (lines.assertions[line] == assertions && !reasserted) {
                lines.set(line, Lines.LEVEL_SOURCE, false);
            }
            lines.set(line, Lines.EDGE, lines.assertions[line] != assertions);
        } finally {
            delivery.end();
        }
    }
}
