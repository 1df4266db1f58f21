package gunyah.runtime;

import gunyah.hyp.TraceSink;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.VmState;

/** One event of a trace on its way from the thread it happens on to the file. docs/trace.md explains the fields. */
sealed interface TraceEvent {
    /** {@return nanoseconds since the trace began} */
    long ns();

    record Hypercall(long ns, int vmid, int vcpu, long pc, String name, long function, long result)
            implements TraceEvent {
    }

    record Stage2Fault(long ns, int vmid, int vcpu, long pc, long ipa, int access, TraceSink.Fault fault)
            implements TraceEvent {
    }

    record Idle(long ns, int vmid, int vcpu, long pc) implements TraceEvent {
    }

    record Power(long ns, int vmid, int vcpu, TraceSink.Power change) implements TraceEvent {
    }

    /** @param vcpu -1 for a shared interrupt */
    record Virq(long ns, int vmid, int vcpu, int intid) implements TraceEvent {
    }

    /** @param target the VM it is about, 0 when the request names none */
    record RmRequest(long ns, int vmid, int messageId, int target, int error) implements TraceEvent {
    }

    record RmNotification(long ns, int vmid, MessageId message) implements TraceEvent {
    }

    record State(long ns, int vmid, VmState state) implements TraceEvent {
    }

    record Launch(long ns, int vmid, String name) implements TraceEvent {
    }

    record Exit(long ns, int vmid, String kind, String reason) implements TraceEvent {
    }

    /** The last one of every trace that was closed. */
    record End(long ns, long events, long dropped) implements TraceEvent {
    }
}
