package gunyah.hyp;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The behaviour of every actor that is a kernel object: it handles calls whose callers wait in a {@link ReplySlot}. A
 * call that breaks is our bug, not its caller's: the caller gets FAILURE and goes on. The object is broken from then
 * on, since its state may be half written: it answers every later call with OBJECT_STATE, at once, until the object is
 * destroyed. It is not restarted, which would resume on lost state, and not stopped, which would leave callers waiting.
 * The object hears of it, and the VMs that use it end.
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

    /**
     * {@return a behaviour that hands each call to {@code handler}}
     *
     * @param broken the object's {@link KernelObject#broke}, called in the actor's turn before the caller is answered
     */
    public static <C extends Call> Behavior<C> of(Consumer<String> broken, Function<C, Behavior<C>> handler) {
        return Behaviors.setup(context -> {
            Function<C, Behavior<C>> surrounded = HandlerSetup.surround(context, handler);
            return Behaviors.receiveMessage(call -> {
                try {
                    return surrounded.apply(call);
                } catch (RuntimeException | StackOverflowError | AssertionError bug) {
                    String name = context.getSelf().path().name();
                    LOG.error("{} failed at {} and is out of use", name, call.getClass().getSimpleName(), bug);
                    if (call.replyTo() == null) {
                        return Behaviors.stopped();
                    }
                    tell(broken, "%s failed: %s".formatted(name, bug));
                    call.replyTo().reply(HypError.FAILURE);
                    return broken();
                }
            });
        });
    }

    /** The caller must be answered whatever happens. */
    private static void tell(Consumer<String> broken, String reason) {
        try {
            broken.accept(reason);
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{}; what it leaves could not be put in order", reason, bug);
        }
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
