package gunyah.rm.root;

import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmState;

/** Hears what the Resource Manager does, for a trace of the machine. Called by its actor; must not block. */
public interface RmTrace {
    /** Nobody listens. */
    RmTrace NONE = new RmTrace() {
    };

    /** A request of this VM is served, and its answer goes out. */
    default void answered(int vmid, RmMessage request, Reply reply) {
        // A trace need not have it.
    }

    /** This VM is told something unasked. */
    default void notified(int vmid, MessageId id) {
        // A trace need not have it.
    }

    /** A VM is in this state now; NONE when it was deallocated. */
    default void state(int vmid, VmState state) {
        // A trace need not have it.
    }

    /** The primary VM writes this to its console, whose other end is the machine. */
    default void console(int vmid, byte[] text) {
        // A trace need not have it.
    }

    /** The Resource Manager failed in a turn and goes on without it. */
    default void restarted() {
        // A trace need not have it.
    }
}
