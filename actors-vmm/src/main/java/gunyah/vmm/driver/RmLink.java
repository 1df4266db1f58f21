package gunyah.vmm.driver;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import java.util.concurrent.CompletableFuture;

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

    private RmLink() {
    }

    static Behavior<Command> create(RmTransport transport) {
        return Behaviors.receiveMessage(command -> {
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
        });
    }
}
