package gunyah.arm64.sysreg;

import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import java.util.function.LongUnaryOperator;

/**
 * Exception entry to EL1 and return from it (Arm ARM DDI 0487, D1.3 and D1.4; AArch64.TakeException and
 * AArch64.ExceptionReturn). Every method leaves the PC at the next instruction to execute. For synchronous exceptions
 * {@code s.pc} is the address of the instruction that caused it. Owned by the vCPU's thread.
 */
public final class Exceptions {
    private static final int EC_ILLEGAL_STATE = 0x0E;
    private static final int EC_SVC = 0x15;
    private static final int EC_INSTRUCTION_ABORT = 0x20;
    private static final int EC_PC_ALIGNMENT = 0x22;
    private static final int EC_DATA_ABORT = 0x24;
    private static final int EC_SERROR = 0x2F;
    private static final int EC_BREAKPOINT = 0x30;
    private static final int EC_SOFTWARE_STEP = 0x32;
    private static final int EC_WATCHPOINT = 0x34;
    private static final int EC_BRK = 0x3C;
    /** Fault status of debug exceptions. */
    private static final int DEBUG_STATUS = 0x22;
    /** Added to the class of an abort taken from EL1. */
    private static final int SAME_LEVEL = 1;
    private static final long IL = 1 << 25;
    /** The full ESR of an SP alignment fault: an access with a misaligned SP as its base while SCTLR_EL1 checks it. */
    public static final long SP_ALIGNMENT = 0x26L << 26 | IL;

    /** The ESR of a branch to an instruction of a guarded page that does not take it, to which BTYPE is added. */
    public static final long BRANCH_TARGET = 0x0DL << 26 | IL;

    /**
     * So often in a row, and then a loop is endless: nothing changes from one round to the next, interrupts are masked,
     * and another CPU that repairs the vector has had its time.
     */
    private static final int ENDLESS = 64;

    private static final int SYNCHRONOUS = 0x000;
    private static final int IRQ = 0x080;
    private static final int FIQ = 0x100;
    private static final int SERROR = 0x180;

    private static final long SCTLR_SPAN = 1 << 23;
    private static final int SPSR_PAN = 1 << 22;
    private static final int SPSR_UAO = 1 << 23;
    private static final int SPSR_DIT = 1 << 24;
    private static final int SPSR_IL = 1 << 20;
    private static final int SPSR_SS = 1 << 21;
    private static final int SPSR_SSBS = 1 << 12;
    private static final int DAIF_ALL = CpuState.DAIF_D | CpuState.DAIF_A | CpuState.DAIF_I | CpuState.DAIF_F;

    private final CpuState s;
    private final SystemRegisters registers;
    private final Mmu mmu;
    /** Synchronous exceptions in a row that the first instruction of their own vector raised. */
    private int rounds;
    private long retiredAtEntry;
    private long loopReturn;
    private long loopSyndrome;

    public Exceptions(CpuState s, SystemRegisters registers, Mmu mmu) {
        this.s = s;
        this.registers = registers;
        this.mmu = mmu;
    }

    /** SVC: returns behind the instruction. */
    public void supervisorCall(int immediate) {
        // the instruction is done: a step of it ends at its exception
        s.ss = false;
        takeSync(esr(EC_SVC, immediate & 0xFFFF), s.pc + 4);
    }

    /** BRK. */
    public void breakpointInstruction(int immediate) {
        takeSync(esr(EC_BRK, immediate & 0xFFFF), s.pc);
    }

    /** The instruction that was to be stepped has been; {@code s.pc} is the next. */
    public void softwareStep() {
        takeSync(esr(sameLevel(EC_SOFTWARE_STEP), registers.debug.stepIss()), s.pc);
    }

    /** A hardware breakpoint matched the instruction at the PC. */
    public void hardwareBreakpoint() {
        takeSync(esr(sameLevel(EC_BREAKPOINT), DEBUG_STATUS), s.pc);
    }

    private int sameLevel(int exceptionClass) {
        return exceptionClass + (s.el == 1 ? SAME_LEVEL : 0);
    }

    /** UNDEFINED, or a trap: {@link UndefinedInstruction#esr} is the whole syndrome. */
    public void undefined(UndefinedInstruction reason) {
        takeSync(reason.esr, s.pc);
    }

    /** An instruction was about to execute with PSTATE.IL set. */
    public void illegalState() {
        takeSync(esr(EC_ILLEGAL_STATE, 0), s.pc);
    }

    /** A stage-1 fault or a PC alignment fault, as the MMU described it ({@link Abort#stage2} is false). */
    public void takeAbort(Abort reason) {
        registers.set(SystemRegister.FAR_EL1, reason.far);
        if (reason.pcAlignment) {
            takeSync(esr(EC_PC_ALIGNMENT, 0), s.pc);
            return;
        }
        int exceptionClass = reason.watchpoint ? EC_WATCHPOINT
                : reason.instruction ? EC_INSTRUCTION_ABORT : EC_DATA_ABORT;
        takeSync(esr(sameLevel(exceptionClass), reason.iss), s.pc);
    }

    /**
     * An abort that the owner of a stage-2 fault injects: a synchronous external abort ({@code 0x10}), or another
     * fault status.
     *
     * @param far         the virtual address of the access
     * @param instruction whether it was a fetch
     * @param iss         ISS without EC and IL
     */
    public void injectAbort(long far, boolean instruction, int iss) {
        registers.set(SystemRegister.FAR_EL1, far);
        takeSync(esr(sameLevel(instruction ? EC_INSTRUCTION_ABORT : EC_DATA_ABORT), iss), s.pc);
    }

    /** Takes the IRQ exception; the caller has checked line and mask. */
    public void takeIrq() {
        enter(IRQ, s.pc);
    }

    /** Takes the FIQ exception; the caller has checked line and mask. */
    public void takeFiq() {
        enter(FIQ, s.pc);
    }

    /** Takes an SError with that ISS; the caller has checked the mask. */
    public void takeSerror(int iss) {
        registers.set(SystemRegister.ESR_EL1, esr(EC_SERROR, iss));
        enter(SERROR, s.pc);
    }

    private static long esr(int exceptionClass, int iss) {
        return (long) exceptionClass << 26 | IL | iss;
    }

    /** Takes a synchronous exception with this ESR_EL1 to return to {@code returnAddress}; FAR_EL1 is left alone. */
    public void takeSync(long esr, long returnAddress) {
        registers.set(SystemRegister.ESR_EL1, esr);
        enter(SYNCHRONOUS, returnAddress);
        // An exception counts as the one instruction retired since the last, or none when a stage-2 fault was answered.
        if (returnAddress == s.pc && s.retired - retiredAtEntry <= 1) {
            rounds++;
        } else {
            rounds = 0;
            loopReturn = returnAddress;
            loopSyndrome = esr;
        }
        retiredAtEntry = s.retired;
    }

    /** {@return whether the CPU does nothing any more but take the same exception at its vector} */
    public boolean isEndlessLoop() {
        return rounds >= ENDLESS;
    }

    /** {@return the preferred return address of the exception that led into the loop} */
    public long loopReturn() {
        return loopReturn;
    }

    /** {@return the ESR_EL1 of the exception that led into the loop} */
    public long loopSyndrome() {
        return loopSyndrome;
    }

    /** The CPU is reset: it is in no loop. */
    public void reset() {
        rounds = 0;
    }

    private void enter(int kind, long returnAddress) {
        registers.pmu.levelChanges(kind == SYNCHRONOUS && returnAddress != s.pc ? 1 : 0);
        int vector = kind + (s.el == 0 ? 0x400 : s.spSel == 0 ? 0 : 0x200);
        registers.set(SystemRegister.SPSR_EL1, s.spsr());
        registers.set(SystemRegister.ELR_EL1, returnAddress);
        s.switchStack(1, 1);
        s.daif = DAIF_ALL;
        s.il = false;
        s.ss = false;
        s.uao = false;
        s.btype = 0;
        registers.debug.contextLeft();
        s.ssbs = registers.ssbsOnEntry();
        if ((registers.value(SystemRegister.SCTLR_EL1) & SCTLR_SPAN) == 0) {
            s.pan = true;
        }
        s.pc = registers.value(SystemRegister.VBAR_EL1) + vector;
        registers.contextChanged();
    }

    /**
     * ERET; the caller has refused it at EL0. An illegal return (AArch32, EL2 or above, a reserved mode) stays at EL1
     * and sets PSTATE.IL, so that the next instruction takes {@link #illegalState}.
     */
    public void eret() {
        eret(target -> target);
    }

    /** As {@link #eret()}, to what {@code authentication} makes of ELR_EL1 (ERETAA, ERETAB). */
    public void eret(LongUnaryOperator authentication) {
        int spsr = (int) registers.value(SystemRegister.SPSR_EL1);
        long target = authentication.applyAsLong(registers.value(SystemRegister.ELR_EL1));
        int mode = spsr & 0x1F;
        boolean legal = mode == 0 || mode == 4 || mode == 5;
        registers.pmu.levelChanges(1);
        boolean step = registers.debug.stepAfterReturn((spsr & SPSR_SS) != 0, mode >>> 2, spsr);
        registers.debug.contextLeft();
        s.nzcv = spsr & 0xF000_0000;
        s.daif = spsr & DAIF_ALL;
        s.pan = (spsr & SPSR_PAN) != 0;
        s.btype = 0;
        s.ss = false;
        if (legal) {
            s.il = (spsr & SPSR_IL) != 0;
            s.uao = (spsr & SPSR_UAO) != 0;
            s.dit = (spsr & SPSR_DIT) != 0;
            s.ssbs = (spsr & SPSR_SSBS) != 0;
            s.ss = step;
            s.btype = registers.hasBranchTargets() ? spsr >>> 10 & 3 : 0;
            s.switchStack(mode >>> 2, mode & 1);
        } else {
            s.il = true;
        }
        s.pc = mmu.branchAddress(target);
        s.exclusiveHost = 0;
        s.eventRegister = true;
        registers.contextChanged();
    }
}
