package gunyah.hyp.doorbell;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;

/**
 * A doorbell: senders set flags, the receiver gets an interrupt and clears them (Gunyah hyp/ipc/doorbell). The state
 * lives in {@link DoorbellActor}; these methods make one call each, on any thread that is not an object actor's.
 */
public final class Doorbell extends KernelObject {
    private final ActorSystem<?> system;
    private final DoorbellActor.Line line = new DoorbellActor.Line();
    private ActorRef<DoorbellActor.Command> actor;

    /** Makes a doorbell in INIT; its actor starts at activation. */
    public Doorbell(int id, ActorSystem<?> system) {
        super(ObjectType.DOORBELL, id);
        this.system = system;
    }

    @Override
    protected HypError onActivate() {
        actor = system.systemActorOf(DoorbellActor.create(line, this::broke), "doorbell-" + id(),
                Dispatchers.hypercall());
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        unbind();
        if (actor != null) {
            actor.tell(DoorbellActor.stop());
        }
    }

    @Override
    protected void describe(StateText text) {
        text.put("line", line);
        if (state() == State.ACTIVE) {
            ReplySlot slot = ReplySlot.arm();
            actor.tell(new DoorbellActor.Describe(slot));
            slot.await();
            text.put("flags", slot.first()).put("enabled", slot.second()).put("acknowledged", slot.third());
        }
    }

    @Override
    public boolean interrupts(VirqController controller) {
        return line.boundController() == controller;
    }

    HypError bind(VirqController vic, int virq) {
        return vic.bind(line, virq);
    }

    /** Idempotent. */
    HypError unbind() {
        VirqController vic = line.boundController();
        if (vic != null) {
            vic.unbind(line);
        }
        return HypError.OK;
    }

    /** Sets flags. {@code x[1]} receives the flags before. */
    HypError send(long flags, long[] x) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new DoorbellActor.Send(flags, slot));
        HypError error = slot.await();
        x[1] = slot.first();
        return error;
    }

    /** Clears flags. {@code x[1]} receives the flags before. */
    HypError receive(long flags, long[] x) {
        if (flags == 0) {
            return HypError.ARGUMENT_INVALID;
        }
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new DoorbellActor.Receive(flags, slot));
        HypError error = slot.await();
        x[1] = slot.first();
        return error;
    }

    HypError mask(long enable, long ack) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new DoorbellActor.Mask(enable, ack, slot));
        return slot.await();
    }

    HypError reset() {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new DoorbellActor.Reset(slot));
        return slot.await();
    }
}
