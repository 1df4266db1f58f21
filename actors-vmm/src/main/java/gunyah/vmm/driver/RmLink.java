package gunyah.vmm.driver;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HandlerSetup;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owner of the {@link RmTransport}: serialises calls and the two queue interrupts. Lives on the default dispatcher;
 * nothing here waits.
 */
final class RmLink {
    sealed interface Command {
    }

    /** Sends a request; {@code reply} completes on the actor's thread. Nobody changes the payload. */
    record Call(int messageId, byte[] payload, CompletableFuture<byte[]> reply) implements Command {
    }

    enum Interrupt implements Command {
        TX, RX
    }

    private static final Logger LOG = LoggerFactory.getLogger(RmLink.class);

    private RmLink() {
    }

    static Behavior<Command> create(RmTransport transport) {
        return Behaviors.setup(context -> {
            Function<Command, Behavior<Command>> handler =
                    HandlerSetup.surround(context, command -> handle(transport, command));
            return Behaviors.receiveMessage(command -> attempt(transport, handler, command));
        });
    }

    private static Behavior<Command> handle(RmTransport transport, Command command) {
        switch (command) {
            case Call call -> transport.call(call.messageId, call.payload, call.reply);
            case Interrupt interrupt -> {
                switch (interrupt) {
                    case TX -> transport.txReady();
                    case RX -> transport.rxReady();
                }
            }
        }
        return Behaviors.same();
    }

    /** What breaks is taken once more, unless it is a call that is on its way: all VMs of the host need the link. */
    private static Behavior<Command> attempt(RmTransport transport, Function<Command, Behavior<Command>> handler,
            Command command) {
        try {
            return handler.apply(command);
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("the link to the Resource Manager failed at {}", command, bug);
        }
        if (command instanceof Call call && transport.isOutstanding(call.reply)) {
            return Behaviors.same();
        }
        try {
            return handler.apply(command);
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("the link to the Resource Manager fails at {} again", command, bug);
            if (command instanceof Call call) {
                call.reply.completeExceptionally(new GunyahError(Errno.EIO, "the link failed: " + bug));
            }
            return Behaviors.same();
        }
    }
}
