package gunyah.hyp.vcpu;

import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HandlerSetup;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import java.util.function.Function;

/**
 * The actor whose thread executes a vCPU: pinned dispatcher, one real thread. {@link Run} says that a physical CPU
 * granted itself; the handler executes until the grant ends and goes back to the mailbox. What must reach the vCPU
 * meanwhile goes through its control word. A vCPU of A64 code that has run before is executed by its proxy's thread
 * while that lends its CPU: {@link VcpuExecution}.
 */
public final class VcpuActor {
    /** What the actor is told. */
    public sealed interface Command {
    }

    /** A grant waits for the thread. Without one it does nothing. */
    enum Run implements Command { INSTANCE }

    /** The proxy that lends a physical CPU executes the grant. Handled on its thread, not told. */
    enum Host implements Command { INSTANCE }

    /** It failed on its proxy's thread. */
    record Failed(Throwable bug) implements Command {
    }

    /** The vCPU is gone. */
    enum Stop implements Command { INSTANCE }

    private final Vcpu vcpu;
    private final VcpuThread thread;
    private final VcpuLoop loop;
    private final WaitHistory waits;
    private VcpuExecution execution;

    private VcpuActor(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.thread = vcpu.thread();
        this.loop = new VcpuLoop(vcpu);
        this.waits = new WaitHistory(vcpu.machine().alarms()::now);
    }

    /** {@return the behavior; {@code onStopped} runs when the thread will execute nothing more} */
    public static Behavior<Command> create(Vcpu vcpu, Runnable onStopped) {
        return Behaviors.setup(context -> {
            VcpuActor actor = new VcpuActor(vcpu);
            Function<Command, Behavior<Command>> handler = HandlerSetup.surround(context, actor::onCommand);
            Function<Command, Behavior<Command>> attempt = command -> attempt(handler, command);
            actor.execution = new VcpuExecution(vcpu, attempt, context.getSelf());
            actor.thread.bindThread(actor.execution);
            return Behaviors.receive(Command.class)
                    .onMessage(Command.class, attempt::apply)
                    .onSignal(PostStop.class, signal -> {
                        onStopped.run();
                        return Behaviors.same();
                    })
                    .build();
        });
    }

    /** A stack that overflowed is one more bug: to Akka it would be the end of the process. */
    private static Behavior<Command> attempt(Function<Command, Behavior<Command>> handler, Command command) {
        try {
            return handler.apply(command);
        } catch (StackOverflowError bug) {
            throw new IllegalStateException(bug.toString(), bug);
        }
    }

    private Behavior<Command> onCommand(Command command) {
        if (command == Stop.INSTANCE) {
            // A vCPU that ended while its actor was being started has a grant that it never used.
            thread.abandon();
            return Behaviors.stopped();
        }
        if (command instanceof Failed(Throwable bug)) {
            throw bug instanceof RuntimeException exception ? exception : new IllegalStateException(bug.toString(), bug);
        }
        boolean hosted = command == Host.INSTANCE;
        do {
            if (!thread.granted() || !execution.begin()) {
                return Behaviors.same();
            }
            boolean failed = true;
            try {
                if (hosted) {
                    executeHosted();
                } else {
                    execute();
                }
                failed = false;
            } finally {
                execution.finish(failed);
            }
        } while (!hosted);
        return Behaviors.same();
    }

    private void executeHosted() {
        thread.beginHosted();
        try {
            executeOnce(false);
        } finally {
            thread.endHosted();
        }
    }

    private void execute() {
        boolean again;
        do {
            waits.end();
            again = executeOnce(true);
        } while (again && !thread.closed());
    }

    /** {@return whether the next grant is there already} */
    private boolean executeOnce(boolean lingers) {
        Reason reason;
        try {
            reason = loop.execute();
        } catch (RuntimeException | Error e) {
            vcpu.life().fault(e.toString());
            thread.release(Reason.BLOCKED, false);
            throw e;
        }
        return thread.release(reason, lingers && (loop.expectsResume() || loop.isIdle() && waits.begin()));
    }
}
