package gunyah.arm64.sysreg;

import gunyah.arm64.Cpu;
import gunyah.arm64.state.CpuState;

/** The system registers and system instructions of one CPU. */
public final class SystemRegisters {
    private static final int SP_EL0 = 0b11_000_0100_0001_000;
    private static final int CURRENT_EL = 0b11_000_0100_0010_010;
    private static final int DAIF = 0b11_011_0100_0010_001;
    private static final int NZCV = 0b11_011_0100_0010_000;
    private final Cpu cpu;

    public SystemRegisters(Cpu cpu) {
        this.cpu = cpu;
    }

    /** Reads a register. {@code key} is op0:op1:CRn:CRm:op2 as in instruction bits 19:5 (15 bits, op0 included). */
    public long read(int key) {
        CpuState s = cpu.s;
        return switch (key & 0x7FFF) {
            case SP_EL0 & 0x7FFF -> s.readSpEl0();
            case CURRENT_EL & 0x7FFF -> (long) s.el << 2;
            case DAIF & 0x7FFF -> s.daif;
            case NZCV & 0x7FFF -> s.nzcv & 0xFFFF_FFFFL;
            default -> throw cpu.undefined();
        };
    }

    /** Writes a register; see {@link #read}. */
    public void write(int key, long value) {
        CpuState s = cpu.s;
        switch (key & 0x7FFF) {
            case SP_EL0 & 0x7FFF -> s.writeSpEl0(value);
            case DAIF & 0x7FFF -> s.daif = (int) value & 0x3C0;
            case NZCV & 0x7FFF -> s.nzcv = (int) value & 0xF000_0000;
            default -> throw cpu.undefined();
        }
    }

    /** SYS with transfer value. */
    public void sys(int op1, int crn, int crm, int op2, long value) {
        throw cpu.undefined();
    }

    /** SYSL. */
    public long sysl(int op1, int crn, int crm, int op2) {
        throw cpu.undefined();
    }

    /** Reset values. */
    public void reset() {
    }
}
