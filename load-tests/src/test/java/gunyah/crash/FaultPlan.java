package gunyah.crash;

import akka.actor.typed.Behavior;
import gunyah.hyp.HandlerSetup;
import gunyah.hyp.HypercallPort;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Lets one actor of a kind fail at one of its messages, and counts messages. Thread safe. */
final class FaultPlan implements HandlerSetup.Surround {
    /** Which actors fail alike. */
    enum Kind {
        VCPU("vm-\\d+/vcpu-.*", false), QUEUE("msgqueue-.*", false), DOORBELL("doorbell-.*", false),
        ADDRSPACE("addrspace-.*", false), VM("vm-\\d+-.*", false), PCPU("pcpu-.*", true), RM("rm", true),
        /** The Resource Manager again, at a hypercall and not at a message. */
        RM_CALL("rm-call", true),
        LINK("host-rm-link", true);

        private final Pattern name;
        /** Serves all VMs, so it is there before the plan is. */
        private final boolean shared;

        Kind(String name, boolean shared) {
            this.name = Pattern.compile(name);
            this.shared = shared;
        }

        private static Kind of(String actor) {
            for (Kind kind : values()) {
                if (kind.name.matcher(actor).matches()) {
                    return kind;
                }
            }
            return null;
        }
    }

    /** What an actor of ours throws. */
    static final class Injected extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Injected(String where) {
            super("injected " + where, null, false, false);
        }
    }

    private static final class Shot {
        private final Kind kind;
        private final int message;
        private final boolean before;
        private final AtomicInteger seen = new AtomicInteger();
        private final AtomicReference<String> hit = new AtomicReference<>();

        Shot(Kind kind, int message, boolean before) {
            this.kind = kind;
            this.message = message;
            this.before = before;
        }
    }

    private final Map<Kind, AtomicInteger> counts = new EnumMap<>(Kind.class);
    private final AtomicInteger generation = new AtomicInteger();
    private volatile Shot armed;

    FaultPlan() {
        for (Kind kind : Kind.values()) {
            counts.put(kind, new AtomicInteger());
        }
    }

    /** From now on counts messages of actors that are made from now on, and of those that serve all. */
    void count() {
        generation.incrementAndGet();
        counts.values().forEach(count -> count.set(0));
    }

    int counted(Kind kind) {
        return counts.get(kind).get();
    }

    /** As {@link #count}, and the actor that gets the kind's message of this number, from 1, fails. */
    void arm(Kind kind, int message, boolean before) {
        count();
        armed = new Shot(kind, message, before);
    }

    /** {@return where it failed, or null if it did not come to that} */
    String disarm() {
        Shot shot = armed;
        armed = null;
        return shot.hit.get();
    }

    /** {@return whether it has failed} */
    boolean hit() {
        Shot shot = armed;
        return shot != null && shot.hit.get() != null;
    }

    /** {@return the Resource Manager's way to the hypervisor, where it fails as it does at a message} */
    HypercallPort surround(HypercallPort port) {
        return new FailingPort(port, this.<FailingPort.Hypercall>handler("rm-call", call -> {
            port.call(call.number(), call.x());
            return null;
        }));
    }

    @Override
    public <C> Function<C, Behavior<C>> handler(String actor, Function<C, Behavior<C>> handler) {
        Kind kind = Kind.of(actor);
        if (kind == null) {
            return handler;
        }
        int born = generation.get();
        return command -> {
            if (!kind.shared && born != generation.get()) {
                return handler.apply(command);
            }
            counts.get(kind).incrementAndGet();
            Shot shot = armed;
            if (shot == null || shot.kind != kind || shot.seen.incrementAndGet() != shot.message) {
                return handler.apply(command);
            }
            Injected failure = new Injected("at %s %s of %s".formatted(shot.before ? "receiving" : "leaving",
                    command.getClass().getSimpleName(), actor));
            if (!shot.before) {
                handler.apply(command);
            }
            shot.hit.set(failure.getMessage());
            throw failure;
        };
    }
}
