package gunyah.hyp.vcpu;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Which thread executes a vCPU: that of its actor, or that of the proxy which lends it a physical CPU, and one at a time.
 * A proxy that hosts saves two hand-overs between threads for each exit (docs/adr/0015-guests-on-their-proxies.md). Whoever
 * executes looks for a grant again after it has finished, so one that came meanwhile is not lost. Thread safe.
 */
final class VcpuExecution {
    private static final int FREE = 0;
    private static final int EXECUTING = 1;
    private static final int ENDED = 2;
    private static final long END_POLL_NS = 50_000;

    private final Vcpu vcpu;
    private final Function<VcpuActor.Command, Behavior<VcpuActor.Command>> handler;
    private final ActorRef<VcpuActor.Command> actor;
    private final AtomicInteger state = new AtomicInteger(FREE);

    /**
     * @param handler of the actor's messages
     * @param actor   told of a failure on the proxy's thread
     */
    VcpuExecution(Vcpu vcpu, Function<VcpuActor.Command, Behavior<VcpuActor.Command>> handler,
            ActorRef<VcpuActor.Command> actor) {
        this.vcpu = vcpu;
        this.handler = handler;
        this.actor = actor;
    }

    /** {@return whether the calling thread may execute} Then {@link #finish} must follow. */
    boolean begin() {
        return state.compareAndSet(FREE, EXECUTING);
    }

    /** @param failed it is never executed again */
    void finish(boolean failed) {
        state.set(failed ? ENDED : FREE);
    }

    boolean isExecuting() {
        return state.get() == EXECUTING;
    }

    boolean hasEnded() {
        return state.get() == ENDED;
    }

    /** Nobody executes it any more; waits for who does, and was told to stop. */
    void end() {
        while (!state.compareAndSet(FREE, ENDED) && !hasEnded()) {
            LockSupport.parkNanos(this, END_POLL_NS);
        }
    }

    /** Executes one grant on the proxy's thread. What fails is the vCPU, not its proxy. */
    void host() {
        try {
            handler.apply(VcpuActor.Host.INSTANCE);
        } catch (RuntimeException | Error bug) {
            end();
            vcpu.fail(bug.toString());
            actor.tell(new VcpuActor.Failed(bug));
        }
    }
}
