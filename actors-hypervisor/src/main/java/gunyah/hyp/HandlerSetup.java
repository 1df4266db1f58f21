package gunyah.hyp;

import akka.actor.setup.Setup;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import java.util.function.Function;

/**
 * What surrounds the message handlers of an actor system's actors. A system that was created without such a setup has
 * bare handlers; one of a test may let any actor fail at any message. An actor looks once, when it is made, so nothing
 * on the path of a message depends on it.
 */
public final class HandlerSetup extends Setup {
    /** Surrounds handlers. Thread safe. */
    public interface Surround {
        /**
         * {@return what the actor calls in place of {@code handler}}
         *
         * @param actor its name, with its parent's before it if that is an actor of ours: {@code vm-3/vcpu-0}
         */
        <C> Function<C, Behavior<C>> handler(String actor, Function<C, Behavior<C>> handler);
    }

    private final Surround surround;

    public HandlerSetup(Surround surround) {
        this.surround = surround;
    }

    /** {@return the handler that the actor of {@code context} has to call for each message} */
    public static <C> Function<C, Behavior<C>> surround(ActorContext<?> context, Function<C, Behavior<C>> handler) {
        return context.getSystem().settings().setup().get(HandlerSetup.class)
                .map(setup -> setup.surround.handler(nameOf(context), handler)).orElse(handler);
    }

    private static String nameOf(ActorContext<?> context) {
        String name = context.getSelf().path().name();
        String parent = context.getSelf().path().parent().name();
        return parent.startsWith("vm-") ? parent + "/" + name : name;
    }
}
