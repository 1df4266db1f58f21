package gunyah.arm64.state;

/**
 * Leaves an instruction whose access did not succeed. One preallocated object per CPU, without stack trace: thrown by
 * the MMU, caught by the engine, which either takes a stage-1 exception to EL1 ({@link #stage2} false; {@link #iss}
 * without EC, {@link #far}) or exits with a stage-2 fault. Never leaves the engine.
 */
public final class Abort extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** True: stage-2 fault, exit to the owner with {@link #ipa}. False: exception to EL1. */
    public boolean stage2;
    /** True for instruction fetches. */
    public boolean instruction;
    /** An instruction fetch from an address that is no multiple of 4: a PC alignment fault, not an abort. */
    public boolean pcAlignment;
    /** A watched data access: a watchpoint exception, not an abort. */
    public boolean watchpoint;
    /** ISS: fault status code in bits 5:0, WnR bit 6, S1PTW bit 7, CM bit 8. */
    public int iss;
    /** Faulting virtual address. */
    public long far;
    /** Stage 2: intermediate physical address. */
    public long ipa;
    /** Stage 2: wanted access, {@link gunyah.memory.Access}. */
    public int access;
    /** Stage 2: the page is mapped, a right is missing. */
    public boolean mapped;
    /** Stage 2: during a stage-1 walk. */
    public boolean walk;

    public Abort() {
        super(null, null, false, false);
    }
}
