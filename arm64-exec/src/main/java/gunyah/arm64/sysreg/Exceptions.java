package gunyah.arm64.sysreg;

import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;

/** Exception entry to EL1 and return from it. */
public final class Exceptions {
    private final CpuState s;

    public Exceptions(CpuState s, SystemRegisters registers, Mmu mmu) {
        this.s = s;
    }

    public void illegalState() {
        takeSync(0x0EL << 26 | 1 << 25, s.pc);
    }

    public void undefined(UndefinedInstruction reason) {
        takeSync(reason.esr, s.pc);
    }

    public void injectAbort(long far, boolean instruction, int iss) {
        takeSync(iss, s.pc);
    }

    /** Takes a synchronous exception with this ESR_EL1; the preferred return address is {@code returnPc}. */
    public void takeSync(long esr, long returnPc) {
        throw new IllegalStateException("exception 0x%x at 0x%x without vectors".formatted(esr, s.pc));
    }

    /** Takes a stage-1 abort of the instruction at the PC. */
    public void takeAbort(Abort abort) {
        throw new IllegalStateException("abort 0x%x at 0x%x".formatted(abort.iss, abort.far));
    }

    public void takeIrq() {
        throw new IllegalStateException("IRQ without vectors");
    }

    public void takeFiq() {
        throw new IllegalStateException("FIQ without vectors");
    }

    /** ERET. Sets the PC. */
    public void eret() {
        throw new IllegalStateException("ERET");
    }
}
