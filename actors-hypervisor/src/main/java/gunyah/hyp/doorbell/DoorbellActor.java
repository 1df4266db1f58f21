package gunyah.hyp.doorbell;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HypError;
import gunyah.hyp.ObjectBehavior;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.VirqSource;
import java.util.function.Consumer;

/**
 * The state of one doorbell: 64 flags, which of them assert the interrupt, which are cleared by asserting it (Gunyah
 * hyp/ipc/doorbell). One turn per call; never blocks; hypercall dispatcher.
 */
final class DoorbellActor {
    /** What a doorbell can be told. */
    sealed interface Command extends ObjectBehavior.Call {
    }

    /** Sets flags; answers the flags before. */
    record Send(long flags, ReplySlot replyTo) implements Command {
    }

    /** Clears flags; answers the flags before. */
    record Receive(long flags, ReplySlot replyTo) implements Command {
    }

    record Mask(long enable, long ack, ReplySlot replyTo) implements Command {
    }

    record Reset(ReplySlot replyTo) implements Command {
    }

    /** Answers flags, enable mask, acknowledge mask. */
    record Describe(ReplySlot replyTo) implements Command {
    }

    private enum Stop implements Command {
        INSTANCE;

        @Override
        public ReplySlot replyTo() {
            return null;
        }
    }

    /** The line into the receiver's VIC. Reads what the actor wrote, under the VIC's lock. */
    static final class Line extends VirqSource {
        // written by the actor only; read by the VIC, whose lock orders it after the assert that matters
        private volatile long pending;

        @Override
        public boolean checkPending(boolean reasserted) {
            return reasserted || pending != 0;
        }
    }

    private final Line line;
    private long flags;
    private long enable = ~0L;
    private long ack;

    private DoorbellActor(Line line) {
        this.line = line;
    }

    static Behavior<Command> create(Line line, Consumer<String> broken) {
        DoorbellActor actor = new DoorbellActor(line);
        return ObjectBehavior.of(broken, actor::onCommand);
    }

    static Command stop() {
        return Stop.INSTANCE;
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Send send -> onSend(send);
            case Receive receive -> onReceive(receive);
            case Mask mask -> onMask(mask);
            case Reset reset -> onReset(reset);
            case Describe describe -> describe.replyTo().reply(HypError.OK, flags, enable, ack);
            case Stop stop -> {
                return Behaviors.stopped();
            }
        }
        return Behaviors.same();
    }

    private void onSend(Send send) {
        long before = flags;
        flags |= send.flags();
        boolean enabled = (flags & enable) != 0;
        if (enabled) {
            flags &= ~ack;
        }
        line.pending = flags & enable;
        // an edge reaches an edge-triggered interrupt even when the flags are masked
        line.assertVirq(!enabled);
        send.replyTo().reply(HypError.OK, before);
    }

    private void onReceive(Receive receive) {
        long before = flags;
        flags &= ~receive.flags();
        line.pending = flags & enable;
        receive.replyTo().reply(HypError.OK, before);
    }

    private void onMask(Mask mask) {
        boolean was = (flags & enable) != 0;
        enable = mask.enable();
        ack = mask.ack();
        boolean is = (flags & enable) != 0;
        if (is) {
            flags &= ~ack;
        }
        line.pending = flags & enable;
        if (is && !was) {
            line.assertVirq(false);
        } else if (was && !is) {
            line.clearVirq();
        }
        mask.replyTo().reply(HypError.OK);
    }

    private void onReset(Reset reset) {
        flags = 0;
        enable = ~0L;
        ack = 0;
        line.pending = 0;
        line.clearVirq();
        reset.replyTo().reply(HypError.OK);
    }
}
