package gunyah.hyp.msgqueue;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.ObjectBehavior;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqSource;
import java.util.HexFormat;
import java.util.function.Consumer;

/**
 * The ring of one message queue and its two interrupt lines (Gunyah hyp/ipc/msgqueue). Messages are copied straight
 * between the ring and the caller's memory inside the turn, so a failed copy leaves nothing to undo. Interrupts fire at
 * the exact crossing of a threshold, or by PUSH. Never blocks; hypercall dispatcher.
 */
final class MsgQueueActor {
    /** What a queue can be told. */
    sealed interface Command extends ObjectBehavior.Call {
    }

    /** Appends a message; answers whether another fits. */
    record Send(Caller caller, long va, int size, boolean push, ReplySlot replyTo) implements Command {
    }

    /** Takes the oldest message; answers its size and whether more wait. */
    record Receive(Caller caller, long va, long capacity, ReplySlot replyTo) implements Command {
    }

    record Flush(ReplySlot replyTo) implements Command {
    }

    record NotFullThreshold(int messages, ReplySlot replyTo) implements Command {
    }

    record NotEmptyThreshold(int messages, boolean reevaluate, ReplySlot replyTo) implements Command {
    }

    /** Notes thresholds and messages. */
    record Describe(StateText text, ReplySlot replyTo) implements Command {
    }

    private enum Stop implements Command {
        INSTANCE;

        @Override
        public ReplySlot replyTo() {
            return null;
        }
    }

    /** Both lines and what decides whether they are asserted: written by the actor, read by VICs under their locks. */
    static final class Lines {
        private volatile int count;
        private volatile int notFullThreshold;
        private volatile int notEmptyThreshold;

        final VirqSource send = new VirqSource() {
            @Override
            public boolean checkPending(boolean reasserted) {
                return reasserted || count <= notFullThreshold;
            }
        };
        final VirqSource receive = new VirqSource() {
            @Override
            public boolean checkPending(boolean reasserted) {
                return reasserted || count >= notEmptyThreshold;
            }
        };
    }

    private final Lines lines;
    private final byte[][] ring;
    private final int[] sizes;
    private int head;
    private int count;
    private int notFullThreshold;
    private int notEmptyThreshold;

    private MsgQueueActor(int depth, int maxSize, Lines lines) {
        this.lines = lines;
        ring = new byte[depth][maxSize];
        sizes = new int[depth];
        notFullThreshold = depth - 1;
        notEmptyThreshold = 1;
        publish();
    }

    static Behavior<Command> create(int depth, int maxSize, Lines lines, Consumer<String> broken) {
        MsgQueueActor actor = new MsgQueueActor(depth, maxSize, lines);
        return ObjectBehavior.of(broken, actor::onCommand);
    }

    static Command stop() {
        return Stop.INSTANCE;
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Send send -> onSend(send);
            case Receive receive -> onReceive(receive);
            case Flush flush -> onFlush(flush);
            case NotFullThreshold threshold -> onNotFullThreshold(threshold);
            case NotEmptyThreshold threshold -> onNotEmptyThreshold(threshold);
            case Describe describe -> onDescribe(describe);
            case Stop stop -> {
                return Behaviors.stopped();
            }
        }
        return Behaviors.same();
    }

    private void onSend(Send send) {
        if (count == ring.length) {
            send.replyTo().reply(HypError.MSGQUEUE_FULL, 0);
            return;
        }
        int tail = (head + count) % ring.length;
        HypError copied;
        try {
            copied = send.caller().copyIn(send.va(), ring[tail], send.size());
        } catch (RuntimeException bug) {
            // the caller's own translation broke: that is its VM's end, not the queue's
            send.replyTo().fail(bug);
            return;
        }
        if (copied != HypError.OK) {
            send.replyTo().reply(copied, 1);
            return;
        }
        sizes[tail] = send.size();
        count++;
        publish();
        // exactly at the crossing: a receiver drains until empty and then waits for the next one
        if (send.push() || count == notEmptyThreshold) {
            lines.receive.assertVirq(false);
        }
        send.replyTo().reply(HypError.OK, count < ring.length ? 1 : 0);
    }

    private void onReceive(Receive receive) {
        if (count == 0) {
            receive.replyTo().reply(HypError.MSGQUEUE_EMPTY, 0, 0);
            return;
        }
        int size = sizes[head];
        HypError copied;
        try {
            copied = Long.compareUnsigned(receive.capacity(), size) < 0 ? HypError.ADDR_OVERFLOW
                    : receive.caller().copyOut(receive.va(), ring[head], size);
        } catch (RuntimeException bug) {
            receive.replyTo().fail(bug);
            return;
        }
        if (copied != HypError.OK) {
            receive.replyTo().reply(copied, 0, 1);
            return;
        }
        head = (head + 1) % ring.length;
        count--;
        publish();
        if (count == notFullThreshold) {
            lines.send.assertVirq(false);
        }
        receive.replyTo().reply(HypError.OK, size, count > 0 ? 1 : 0);
    }

    private void onFlush(Flush flush) {
        boolean hadMessages = count > 0;
        count = 0;
        head = 0;
        publish();
        if (hadMessages) {
            lines.send.assertVirq(false);
            lines.receive.clearVirq();
        }
        flush.replyTo().reply(HypError.OK);
    }

    private void onNotFullThreshold(NotFullThreshold threshold) {
        notFullThreshold = threshold.messages();
        publish();
        reevaluate(lines.send, count <= notFullThreshold);
        threshold.replyTo().reply(HypError.OK);
    }

    private void onNotEmptyThreshold(NotEmptyThreshold threshold) {
        notEmptyThreshold = threshold.messages();
        publish();
        if (threshold.reevaluate()) {
            reevaluate(lines.receive, count >= notEmptyThreshold);
        }
        threshold.replyTo().reply(HypError.OK);
    }

    private void onDescribe(Describe describe) {
        describe.text().put("not_full.threshold", notFullThreshold).put("not_empty.threshold", notEmptyThreshold);
        for (int i = 0; i < count; i++) {
            int at = (head + i) % ring.length;
            describe.text().put("message", HexFormat.of().formatHex(ring[at], 0, sizes[at]));
        }
        describe.replyTo().reply(HypError.OK);
    }

    private static void reevaluate(VirqSource line, boolean asserted) {
        if (asserted) {
            line.assertVirq(false);
        } else {
            line.clearVirq();
        }
    }

    /** Before any assert: a VIC that takes the interrupt at once must see the state that caused it. */
    private void publish() {
        lines.count = count;
        lines.notFullThreshold = notFullThreshold;
        lines.notEmptyThreshold = notEmptyThreshold;
    }
}
