package gunyah.hyp;

import akka.actor.typed.DispatcherSelector;

/** Names of the dispatchers in {@code reference.conf}. */
public final class Dispatchers {
    /** Object actors: the mailbox runs on the sender's thread; nothing there may block. */
    public static final String HYPERCALL = "gunyah.dispatcher.hypercall";
    /** vCPU actors: one platform thread each. */
    public static final String VCPU = "gunyah.dispatcher.vcpu";
    /** Files, sockets, terminals, processes: virtual threads. */
    public static final String BLOCKING = "gunyah.dispatcher.blocking";

    private Dispatchers() {
    }

    /** {@return the selector of an object actor} */
    public static DispatcherSelector hypercall() {
        return DispatcherSelector.fromConfig(HYPERCALL);
    }

    /** {@return the selector of a vCPU actor} */
    public static DispatcherSelector vcpu() {
        return DispatcherSelector.fromConfig(VCPU);
    }

    /** {@return the selector of an actor that waits} */
    public static DispatcherSelector blocking() {
        return DispatcherSelector.fromConfig(BLOCKING);
    }
}
