package gunyah.rm;

import akka.actor.typed.Behavior;
import akka.actor.typed.BehaviorInterceptor;
import akka.actor.typed.TypedActorContext;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.rm.ResourceManager.Command;
import gunyah.rm.ResourceManager.Interrupt;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Counts the turns of the Resource Manager's actor. Who asks is answered behind all that the actor was told before, so
 * two answers that are the same say that it had nothing to do in between. Thread safe.
 */
final class IdleWatch extends BehaviorInterceptor<Command, Command> {
    /** An interrupt that nobody has: the question. */
    static final Command QUESTION = new Interrupt(-1);

    private final Queue<CompletableFuture<Long>> askers = new ConcurrentLinkedQueue<>();
    private long turns;

    IdleWatch() {
        super(Command.class);
    }

    /** {@return what is completed with the turns so far once the actor gets {@link #QUESTION}} */
    CompletableFuture<Long> ask() {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        askers.add(answer);
        return answer;
    }

    @Override
    public Behavior<Command> aroundReceive(TypedActorContext<Command> context, Command command,
            ReceiveTarget<Command> manager) {
        if (command == QUESTION) {
            askers.remove().complete(turns);
            return Behaviors.same();
        }
        turns++;
        return manager.apply(context, command);
    }
}
