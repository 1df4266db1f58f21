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
    private static final int CALL_ATTEMPTS = 2;
    private static final int INTERRUPT_ATTEMPTS = 16;

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

    /**
     * What breaks is taken once more, unless it is a call that is on its way: all VMs of the host need the link. What is
     * left in a queue is announced by no further interrupt, so that of a queue is taken as often as messages may break it.
     */
    private static Behavior<Command> attempt(RmTransport transport, Function<Command, Behavior<Command>> handler,
            Command command) {
        int attempts = command instanceof Interrupt ? INTERRUPT_ATTEMPTS : CALL_ATTEMPTS;
        for (int failures = 0; failures < attempts; failures++) {
            try {
                return handler.apply(command);
            } catch (RuntimeException | StackOverflowError | AssertionError bug) {
                LOG.error("the link to the Resource Manager failed at {}", command, bug);
                if (command instanceof Call call && transport.isOutstanding(call.reply)) {
                    return Behaviors.same();
                }
            }
        }
        if (command instanceof Call call) {
            call.reply.completeExceptionally(new GunyahError(Errno.EIO, "the link failed"));
        }
        return Behaviors.same();
    }
}
