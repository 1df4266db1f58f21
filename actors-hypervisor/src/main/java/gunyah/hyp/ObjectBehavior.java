package gunyah.hyp;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The behaviour of every actor that is a kernel object: it handles calls whose callers wait in a {@link ReplySlot}. A
 * call that breaks is our bug, not its caller's: the caller gets FAILURE and goes on. The object is broken from then
 * on, since its state may be half written: it answers every later call with OBJECT_STATE, at once, until the object is
 * destroyed. It is not restarted, which would resume on lost state, and not stopped, which would leave callers waiting.
 */
public final class ObjectBehavior {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectBehavior.class);

    /** A message of such an actor. */
    public interface Call {
        /** {@return where the caller waits; null for the message that ends the actor} */
        ReplySlot replyTo();
    }

    private ObjectBehavior() {
    }

    /** {@return a behaviour that hands each call to {@code handler}} */
    public static <C extends Call> Behavior<C> of(Function<C, Behavior<C>> handler) {
        return Behaviors.receive((context, call) -> {
            try {
                return handler.apply(call);
            } catch (RuntimeException | StackOverflowError | AssertionError bug) {
                LOG.error("{} failed at {} and is out of use", context.getSelf().path().name(),
                        call.getClass().getSimpleName(), bug);
                if (call.replyTo() == null) {
                    return Behaviors.stopped();
                }
                call.replyTo().reply(HypError.FAILURE);
                return broken();
            }
        });
    }

    private static <C extends Call> Behavior<C> broken() {
        return Behaviors.receiveMessage(call -> {
            if (call.replyTo() == null) {
                return Behaviors.stopped();
            }
            call.replyTo().reply(HypError.OBJECT_STATE);
            return Behaviors.same();
        });
    }
}
