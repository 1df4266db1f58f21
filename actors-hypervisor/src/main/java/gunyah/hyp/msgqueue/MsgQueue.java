package gunyah.hyp.msgqueue;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import gunyah.hyp.Caller;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;

/**
 * A message queue: a bounded FIFO of messages with interrupts to both ends (Gunyah hyp/ipc/msgqueue). The ring lives in
 * {@link MsgQueueActor}; these methods make one call each, on any thread that is not an object actor's.
 */
public final class MsgQueue extends KernelObject {
    /** Deepest queue, messages. */
    public static final int MAX_DEPTH = 255;
    /** Largest message, bytes. */
    public static final int MAX_MESSAGE = 1023;

    private static final int UNCHANGED = -1;
    private static final int WHOLE_DEPTH = -2;

    private final ActorSystem<?> system;
    private final MsgQueueActor.Lines lines = new MsgQueueActor.Lines();
    private ActorRef<MsgQueueActor.Command> actor;
    private volatile int depth;
    private volatile int maxSize;

    /** Makes a queue in INIT; ring and actor come at activation. */
    public MsgQueue(int id, ActorSystem<?> system) {
        super(ObjectType.MSGQUEUE, id);
        this.system = system;
    }

    /** @param info depth in bits 15:0, largest message in 31:16, the rest zero */
    HypError configure(long info) {
        int newDepth = (int) info & 0xFFFF;
        int newMaxSize = (int) info >>> 16;
        if (info >>> 32 != 0 || newDepth == 0 || newDepth > MAX_DEPTH || newMaxSize == 0 || newMaxSize > MAX_MESSAGE) {
            return HypError.ARGUMENT_INVALID;
        }
        depth = newDepth;
        maxSize = newMaxSize;
        return HypError.OK;
    }

    @Override
    protected HypError onActivate() {
        if (depth == 0) {
            return HypError.OBJECT_CONFIG;
        }
        actor = system.systemActorOf(MsgQueueActor.create(depth, maxSize, lines, this::broke), "msgqueue-" + id(),
                Dispatchers.hypercall());
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        unbind(lines.send);
        unbind(lines.receive);
        if (actor != null) {
            actor.tell(MsgQueueActor.stop());
        }
    }

    @Override
    protected void describe(StateText text) {
        text.put("depth", depth).put("message.max", maxSize);
        text.put("send", lines.send).put("receive", lines.receive);
        if (state() == State.ACTIVE) {
            ReplySlot slot = ReplySlot.arm();
            actor.tell(new MsgQueueActor.Describe(text, slot));
            slot.await();
        }
    }

    @Override
    public boolean interrupts(VirqController controller) {
        return lines.send.boundController() == controller || lines.receive.boundController() == controller;
    }

    VirqSource sendLine() {
        return lines.send;
    }

    VirqSource receiveLine() {
        return lines.receive;
    }

    /** Idempotent. */
    static HypError unbind(VirqSource line) {
        VirqController vic = line.boundController();
        if (vic != null) {
            vic.unbind(line);
        }
        return HypError.OK;
    }

    /** {@code x[1]} receives whether another message fits. */
    HypError send(Caller caller, long size, long va, boolean push, long[] x) {
        if (size == 0 || Long.compareUnsigned(size, maxSize) > 0) {
            x[1] = 0;
            return HypError.ARGUMENT_SIZE;
        }
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new MsgQueueActor.Send(caller, va, (int) size, push, slot));
        HypError error = slot.await();
        x[1] = slot.first();
        return error;
    }

    /** {@code x[1]} receives the size, {@code x[2]} whether more messages wait. */
    HypError receive(Caller caller, long va, long capacity, long[] x) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new MsgQueueActor.Receive(caller, va, capacity, slot));
        HypError error = slot.await();
        x[1] = slot.first();
        x[2] = slot.second();
        return error;
    }

    HypError flush() {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new MsgQueueActor.Flush(slot));
        return slot.await();
    }

    HypError configureSend(int threshold, int delay) {
        if (delay != UNCHANGED) {
            return HypError.UNIMPLEMENTED;
        }
        if (threshold == UNCHANGED) {
            return HypError.OK;
        }
        if (Integer.compareUnsigned(threshold, depth) >= 0) {
            return HypError.ARGUMENT_INVALID;
        }
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new MsgQueueActor.NotFullThreshold(threshold, slot));
        return slot.await();
    }

    HypError configureReceive(int threshold, int delay) {
        if (delay != UNCHANGED) {
            return HypError.UNIMPLEMENTED;
        }
        if (threshold == UNCHANGED) {
            return HypError.OK;
        }
        int messages = threshold == WHOLE_DEPTH ? depth : threshold;
        if (messages == 0 || Integer.compareUnsigned(messages, depth) > 0) {
            return HypError.ARGUMENT_INVALID;
        }
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new MsgQueueActor.NotEmptyThreshold(messages, threshold != WHOLE_DEPTH, slot));
        return slot.await();
    }
}
