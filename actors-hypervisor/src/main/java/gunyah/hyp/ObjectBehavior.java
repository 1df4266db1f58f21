package gunyah.hyp;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Function;

/**
 * The behaviour of every actor that is a kernel object: it handles calls whose callers wait in a {@link ReplySlot}. A
 * call that breaks stops the object and fails its caller, which must not wait for ever.
 */
public final class ObjectBehavior {
    /** A message of such an actor. */
    public interface Call {
        /** {@return where the caller waits; null when nobody does} */
        ReplySlot replyTo();
    }

    private ObjectBehavior() {
    }

    /** {@return a behaviour that hands each call to {@code handler}} */
    public static <C extends Call> Behavior<C> of(Function<C, Behavior<C>> handler) {
        return Behaviors.receiveMessage(call -> {
            try {
                return handler.apply(call);
            } catch (RuntimeException bug) {
                if (call.replyTo() != null) {
                    call.replyTo().fail(bug);
                }
                throw bug;
            }
        });
    }
}
