package gunyah.rm;

import gunyah.rm.ResourceManager.Command;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.vm.Answer;
import gunyah.rm.vm.Turns;
import gunyah.rm.vm.Vm;
import gunyah.rm.vm.VmLifecycle;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the actor was doing, so that its next life can set it right: a request that was not answered is answered DENIED
 * and the VM it was about ends with a reason; the turn itself is taken again, since others may wait for the rest of it.
 * Changes are undone by the journal on the way out; what remained to be done of decided ones is done here.
 */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
    private static final int ATTEMPTS = 3;

    private final VmLifecycle life;
    private final Turns turns;
    private final Root root;
    private Command current;
    private Command failed;
    private int failures;
    private Pending pending;
    private Vm about;

    private static final class Pending implements Answer {
        private final Answer client;
        private boolean sent;

        Pending(Answer client) {
            this.client = client;
        }

        @Override
        public void send(Reply reply) {
            if (!sent) {
                sent = true;
                client.send(reply);
            }
        }
    }

    Recovery(VmLifecycle life, Turns turns, Root root) {
        this.root = root;
        this.life = life;
        this.turns = turns;
    }

    void begin(Command command) {
        current = command;
        pending = null;
        about = null;
    }

    void end() {
        current = null;
    }

    /** A request begins. {@return where its answer goes, once} */
    Answer request(Answer client) {
        pending = new Pending(client);
        about = null;
        return pending;
    }

    /** It is about this VM. */
    void about(Vm vm) {
        about = vm;
    }

    /** Sets right what a failed turn left. */
    void recover(Consumer<Command> again) {
        Command command = current;
        if (command == null) {
            return;
        }
        current = null;
        failures = command == failed ? failures + 1 : 1;
        failed = command;
        root.trace().restarted();
        LOG.error("restarted; {} VM was concerned", about == null ? "no" : about.vmid());
        root.journal().resume();
        if (pending != null && !pending.sent) {
            deny(pending, Optional.ofNullable(about));
        }
        if (failures < ATTEMPTS) {
            again.accept(command);
        } else {
            turns.next(() -> LOG.error("given up: {}", command));
        }
    }

    // Before any other turn: nobody is to find the VM half made, least of all who was told that his request failed.
    private void deny(Pending request, Optional<Vm> victim) {
        Runnable denial = () -> {
            victim.ifPresent(life::giveUp);
            request.send(Reply.of(RmError.DENIED));
        };
        try {
            denial.run();
        } catch (RuntimeException defect) {
            LOG.error("another defect", defect);
            turns.next(denial);
        }
    }
}
