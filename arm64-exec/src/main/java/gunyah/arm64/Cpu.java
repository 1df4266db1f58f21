package gunyah.arm64;

import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * One AArch64 vCPU at EL0/EL1. {@link #run} executes guest code on the calling thread until something needs the owner;
 * {@link #exit} then says what. One thread at a time; only {@link #control} may be touched by others.
 */
public final class Cpu {
    public final CpuState s = new CpuState();
    /** Alias of {@code s.x}. */
    public final long[] x = s.x;
    /** Alias of {@code s.v}. */
    public final long[] v = s.v;
    public final CpuPort port;
    public final VcpuControl control;
    public final CpuExit exit = new CpuExit();
    public final Mmu mmu;
    private final Abort abort = new Abort();
    private final UndefinedInstruction undefined = new UndefinedInstruction();

    public Cpu(Stage2Table stage2, PhysicalMemory memory, CpuPort port, VcpuControl control) {
        this.port = port;
        this.control = control;
        this.mmu = new Mmu(s, stage2, memory, abort);
    }

    /** Raises UNDEFINED (EC 0) for the current instruction. {@return never; throw it for the compiler's sake} */
    public UndefinedInstruction undefined() {
        return trap(0x0200_0000L);
    }

    /** Raises an exception to EL1 with this full ESR_EL1 for the current instruction. {@return never} */
    public UndefinedInstruction trap(long esr) {
        undefined.esr = esr;
        throw undefined;
    }
}
