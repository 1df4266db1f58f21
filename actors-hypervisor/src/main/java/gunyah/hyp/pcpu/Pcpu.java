package gunyah.hyp.pcpu;

import akka.actor.typed.ActorRef;

/**
 * One physical CPU as threads see it: its number and the actor that schedules it. Every method may be called on any
 * thread; the actor usually does the work before the call returns, on that thread.
 */
public final class Pcpu {
    private final int index;
    private volatile ActorRef<PcpuActor.Command> actor;

    public Pcpu(int index) {
        this.index = index;
    }

    /** Connects the actor; once, before any thread uses the CPU. */
    public void start(ActorRef<PcpuActor.Command> newActor) {
        actor = newActor;
    }

    public int index() {
        return index;
    }

    public ActorRef<PcpuActor.Command> actor() {
        return actor;
    }

    /** A thread of this CPU became runnable. */
    public void ready(Schedulable thread) {
        actor.tell(new PcpuActor.Ready(thread));
    }

    /** A thread of this CPU has ended. */
    public void gone(Schedulable thread) {
        actor.tell(new PcpuActor.Gone(thread));
    }

    /** The thread that has the CPU gives it back. */
    public void release(Schedulable thread, PcpuActor.Reason reason) {
        actor.tell(new PcpuActor.Release(thread, reason));
    }

    /** The thread that has the CPU lets another run in its place. */
    public void yieldTo(Schedulable yielder, Schedulable target) {
        actor.tell(new PcpuActor.YieldTo(yielder, target));
    }

    /** A thread that lets another run in its place has a wake-up. */
    public void cancelYield(Schedulable yielder) {
        actor.tell(new PcpuActor.CancelYield(yielder));
    }

    /** Takes a blocked thread off this CPU; {@link Schedulable#moved} tells when. */
    public void move(Schedulable thread, int destination) {
        actor.tell(new PcpuActor.Move(thread, destination));
    }

    @Override
    public String toString() {
        return "pcpu-" + index;
    }
}
