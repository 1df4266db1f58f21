package gunyah.hyp.trace;

import gunyah.hyp.pcpu.Schedulable;
import java.util.function.IntFunction;

/**
 * Hears what a machine does, as it happens. Called by whichever thread does it, mostly vCPU threads in the middle of a
 * slice and schedulers in the middle of a turn; an implementation is thread safe and neither blocks nor makes hypercalls.
 * A machine without one pays a null check for each event.
 */
public interface TraceSink {
    /** What became of a stage-2 fault. */
    public enum Fault {
        /** The vCPU waits until its proxy mapped the page. */
        PAGE_FAULT,
        /** The vCPU waits for its proxy's device model. */
        VMMIO,
        /** A device of the hypervisor answered. */
        VDEVICE,
        /** Mapped meanwhile: the instruction is executed again. */
        RETRY,
        /** The guest took an external abort. */
        ABORT
    }

    /** Changes in the life of a vCPU. */
    public enum Power {
        ON, OFF,
        /** It never executes again. */
        KILLED,
        /** The hypervisor failed on it. */
        FAILED
    }

    /** Why a thread gave its physical CPU back. */
    public enum Stop {
        /** It waits for something. */
        BLOCKED,
        /** It called scheduler_yield, or executed WFE without an event. */
        YIELDED,
        /** It lets another run in its place. */
        LENT,
        /** Its slice, or the slice it runs on, is over. */
        SLICE_END,
        /** A thread of higher priority is runnable. */
        PREEMPTED,
        /** Who lent it the CPU has a wake-up. */
        RECALLED,
        /** It, or who lent it the CPU, moves to another physical CPU. */
        MOVED
    }

    /** The calling thread executes this one from now on. */
    default void bind(Schedulable thread) {
        // Not everybody wants to know.
    }

    /** Says what hypercalls are called; before the first guest runs. */
    default void nameCalls(IntFunction<String> names) {
        // Not everybody wants to know.
    }

    /**
     * A thread got a physical CPU. By the CPU's scheduler, whichever thread that runs on.
     *
     * @param active whose slice it is
     */
    default void run(int pcpu, Schedulable thread, Schedulable active) {
        // Not everybody wants to know.
    }

    /** A thread gave a physical CPU back. As {@link #run}. */
    default void stop(int pcpu, Schedulable thread, Stop reason) {
        // Not everybody wants to know.
    }

    /**
     * Guest code made a call by HVC or SMC, and it is done.
     *
     * @param pc         of the instruction after it
     * @param function   SMCCC function id; of the native convention the immediate
     * @param nativeCall whether it is of the native convention
     * @param result     X0 after it
     */
    void hypercall(int vmid, int vcpu, long pc, long function, boolean nativeCall, long result);

    /**
     * Guest code missed stage 2.
     *
     * @param pc     of the instruction
     * @param ipa    with its low 12 bits
     * @param access the wanted {@link gunyah.memory.Access} bit
     */
    void stage2Fault(int vmid, int vcpu, long pc, long ipa, int access, Fault fault);

    /** WFI without a pending interrupt, or a Java VM's vCPU without work. */
    void idle(int vmid, int vcpu, long pc);

    void power(int vmid, int vcpu, Power change);

    /**
     * A line into a VM was asserted.
     *
     * @param vmid -1 for a controller that belongs to no VM yet
     * @param vcpu owner of a private interrupt, -1 for a shared one
     */
    void virq(int vmid, int vcpu, int intid);
}
