package gunyah.rm.vm;

import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Ledger;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A doorbell or a message queue on its way from one VM to another: a kernel object with two ends to be taken. */
final class Channel {
    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    /** The two ends. */
    enum Side {
        SOURCE, RECEIVER;

        Side other() {
            return this == SOURCE ? RECEIVER : SOURCE;
        }
    }

    /** What a VM holds of a channel. */
    static final class End {
        final Side side;
        final boolean queue;
        /** In the VM's cspace. */
        final long cap;
        /** INTID in the VM, 0 = none. */
        final int virq;
        private final Ledger undo;

        private End(Side side, boolean queue, long cap, int virq, Ledger undo) {
            this.side = side;
            this.queue = queue;
            this.cap = cap;
            this.virq = virq;
            this.undo = undo;
        }
    }

    private final Hypercalls hypercalls;
    private final long object;
    private final boolean queue;
    private final boolean sourceCanClear;

    private Channel(Hypercalls hypercalls, long object, boolean queue, boolean sourceCanClear) {
        this.hypercalls = hypercalls;
        this.object = object;
        this.queue = queue;
        this.sourceCanClear = sourceCanClear;
    }

    /** Makes a doorbell. */
    static Channel doorbell(Hypercalls hypercalls, boolean sourceCanClear) {
        long object = make(hypercalls, ObjectType.DOORBELL, cap -> { });
        return new Channel(hypercalls, object, false, sourceCanClear);
    }

    /** Makes a queue. */
    static Channel queue(Hypercalls hypercalls, int depth, int messageSize) {
        long object = make(hypercalls, ObjectType.MSGQUEUE, cap -> hypercalls.configureQueue(cap, depth, messageSize));
        return new Channel(hypercalls, object, true, false);
    }

    private static long make(Hypercalls hypercalls, ObjectType type, LongConsumer configure) {
        long object = hypercalls.create(type);
        try {
            configure.accept(object);
            hypercalls.activate(object);
        } catch (RuntimeException refused) {
            hypercalls.delete(object);
            throw refused;
        }
        return object;
    }

    /**
     * Gives an end to a VM.
     *
     * @param fixedVirq its INTID, or 0 for any
     */
    End attach(Side side, Vm vm, int fixedVirq) {
        Ledger undo = new Ledger(hypercalls);
        try {
            int virq = 0;
            if (queue || side == Side.RECEIVER) {
                virq = undo.take(Stage.VDEVICES, vm.virqs, fixedVirq);
                bind(side, vm.vic, virq);
                undo.add(Stage.VDEVICES, () -> unbind(side));
            }
            long cap = undo.copy(Stage.VDEVICES, object, vm.cspace, rights(side));
            return new End(side, queue, cap, virq, undo);
        } catch (RuntimeException refused) {
            undo.undoAll(Stage.VDEVICES);
            throw refused;
        }
    }

    private int rights(Side side) {
        if (queue) {
            return side == Side.SOURCE ? Rights.MSGQUEUE_SEND : Rights.MSGQUEUE_RECEIVE;
        }
        int source = Rights.DOORBELL_SEND | (sourceCanClear ? Rights.DOORBELL_RECEIVE : 0);
        return side == Side.SOURCE ? source : Rights.DOORBELL_RECEIVE;
    }

    private void bind(Side side, long vic, int virq) {
        if (!queue) {
            hypercalls.bindDoorbell(object, vic, virq);
        } else if (side == Side.SOURCE) {
            hypercalls.bindQueueSend(object, vic, virq);
        } else {
            hypercalls.bindQueueReceive(object, vic, virq);
        }
    }

    private void unbind(Side side) {
        if (!queue) {
            hypercalls.unbindDoorbell(object);
        } else if (side == Side.SOURCE) {
            hypercalls.unbindQueueSend(object);
        } else {
            hypercalls.unbindQueueReceive(object);
        }
    }

    /** Takes an end away from its VM; who has it next finds nothing of what waited. */
    void detach(End end) {
        end.undo.undoAll(Stage.VDEVICES);
        try {
            if (queue) {
                hypercalls.flushQueue(object);
            } else {
                hypercalls.resetDoorbell(object);
            }
        } catch (HypFault broken) {
            // Nobody gets anything out of an object that is out of use; it goes with its other end.
            LOG.warn("what waited in a device is not taken out: {}", broken.getMessage());
        }
    }

    void delete() {
        hypercalls.delete(object);
    }
}
