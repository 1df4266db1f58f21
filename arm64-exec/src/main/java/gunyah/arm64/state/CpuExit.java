package gunyah.arm64.state;

/**
 * Why {@code Cpu.run} returned, and what its owner needs to deal with it. One reusable object per CPU, valid until the
 * next run. Fields that the kind does not name are stale.
 */
public final class CpuExit {
    /** The reasons. */
    public enum Kind {
        /** Attention PREEMPT or STOP was taken between two instructions. */
        PREEMPTED,
        /** The instruction budget is used up. */
        BUDGET,
        /** HVC or SMC: {@link #immediate}, {@link #smc}. PC is already behind the instruction. */
        HYPERCALL,
        /** Stage-2 fault: PC at the faulting instruction; see the fault fields. */
        STAGE2_FAULT,
        /** WFI with no interrupt pending. PC is behind it. */
        WFI,
        /** WFE without an event. PC is behind it: the rest of the slice is better spent by others. */
        WFE,
        /**
         * The first instruction of the exception vector raises the very exception it is there for, again and again.
         * {@code Exceptions.loopReturn} and {@code loopSyndrome} tell what it began with.
         */
        EXCEPTION_LOOP,
        /** Attention DEBUG was taken, or a breakpoint of the debugger hit. */
        DEBUG
    }

    public Kind kind;
    /** HVC/SMC immediate, 16 bits. */
    public int immediate;
    /** True for SMC. */
    public boolean smc;

    /** Stage-2 fault: faulting IPA with its low 12 bits. */
    public long faultIpa;
    /** Virtual address of the access (FAR). */
    public long faultVa;
    /** {@link gunyah.memory.Access} bit that was wanted: R, W or X. */
    public int access;
    /** True when stage 2 maps the page and only the right is missing. */
    public boolean mapped;
    /** The fault hit a stage-1 table walk. */
    public boolean walk;
    /** An instruction was fetched, or the walk was for that; {@link #access} is R for a walk. */
    public boolean fetch;
    /** The syndrome below describes one general register load or store without write-back (ISV). */
    public boolean isv;
    /** Log2 of the access size, 0..3. */
    public int sizeLog2;
    /** Transfer register, 0..31 (31 is the zero register). */
    public int register;
    /** Load sign-extends (SSE). */
    public boolean signExtend;
    /** The register is 64 bits wide (SF). */
    public boolean sixtyFour;
    /** Store: the full 64-bit value of the register (zero for XZR). */
    public long writeValue;
    /** Exception level of the access: what an injected abort must come from. */
    public int el;
}
