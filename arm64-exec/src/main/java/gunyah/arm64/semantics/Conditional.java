package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.generalRegisters;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuState;
import java.util.List;

/**
 * Conditional select and compare (C4.1.95) and flag manipulation (FEAT_FlagM, FEAT_FlagM2). Operand {@code a} is the
 * condition's set of flag values; a conditional compare has the second operand in {@code rm} or {@code imm}, the flags otherwise used
 * in {@code ra} and {@code b} bit 0 set for CCMP (clear for CCMN), bit 1 for the immediate form.
 */
public final class Conditional {
    static final List<InstructionRow> ROWS = List.of(
            row("CSEL", "z 0 0 11010100 mmmmm cccc 00 nnnnn ddddd", select(Ops.CSEL_X, Ops.CSEL_W),
                    (cpu, insn) -> select(cpu, insn, cpu.x[insn.rm])),
            row("CSINC", "z 0 0 11010100 mmmmm cccc 01 nnnnn ddddd", select(Ops.CSINC_X, Ops.CSINC_W),
                    (cpu, insn) -> select(cpu, insn, cpu.x[insn.rm] + 1)),
            row("CSINV", "z 1 0 11010100 mmmmm cccc 00 nnnnn ddddd", select(Ops.CSINV_X, Ops.CALL),
                    (cpu, insn) -> select(cpu, insn, ~cpu.x[insn.rm])),
            row("CSNEG", "z 1 0 11010100 mmmmm cccc 01 nnnnn ddddd", select(Ops.CALL, Ops.CALL),
                    (cpu, insn) -> select(cpu, insn, -cpu.x[insn.rm])),
            row("CCMN_imm", "z 0 1 11010010 iiiii cccc 10 nnnnn 0 ffff", compare(2), Conditional::compare),
            row("CCMP_imm", "z 1 1 11010010 iiiii cccc 10 nnnnn 0 ffff", compare(3), Conditional::compare),
            row("CCMN_reg", "z 0 1 11010010 mmmmm cccc 00 nnnnn 0 ffff", compare(0), Conditional::compare),
            row("CCMP_reg", "z 1 1 11010010 mmmmm cccc 00 nnnnn 0 ffff", compare(1), Conditional::compare),
            gated("RMIF", "FEAT_FlagM", "1 0 1 11010000 iiiiii 00001 nnnnn 0 ffff", Conditional::rmifFields,
                    Conditional::rmif),
            gated("SETF8", "FEAT_FlagM", "0 0 1 11010000 000000 0 0010 nnnnn 0 1101", Conditional::setfFields,
                    (cpu, insn) -> setf(cpu, (int) cpu.x[insn.rn], 7)),
            gated("SETF16", "FEAT_FlagM", "0 0 1 11010000 000000 1 0010 nnnnn 0 1101", Conditional::setfFields,
                    (cpu, insn) -> setf(cpu, (int) cpu.x[insn.rn], 15)),
            gated("CFINV", "FEAT_FlagM", "1101 0101 0000 0 000 0100 0000 000 11111", insn -> true,
                    (cpu, insn) -> cpu.s.nzcv ^= CpuState.C),
            gated("XAFLAG", "FEAT_FlagM2", "1101 0101 0000 0 000 0100 0000 001 11111", insn -> true,
                    (cpu, insn) -> cpu.s.nzcv = fromExternal(cpu.s.nzcv)),
            gated("AXFLAG", "FEAT_FlagM2", "1101 0101 0000 0 000 0100 0000 010 11111", insn -> true,
                    (cpu, insn) -> cpu.s.nzcv = toExternal(cpu.s.nzcv)));

    private Conditional() {
    }

    private static Fields select(int op64, int op32) {
        return insn -> {
            generalRegisters(insn);
            insn.a = Flags.set(insn.bits(12, 4));
            insn.op = insn.c == 1 ? op64 : op32;
            return true;
        };
    }

    private static void select(Cpu cpu, Insn insn, long otherwise) {
        long result = Flags.holds(insn.a, cpu.s.nzcv) ? cpu.x[insn.rn] : otherwise;
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static Fields compare(int kind) {
        return insn -> {
            generalRegisters(insn);
            insn.a = Flags.set(insn.bits(12, 4));
            insn.b = kind;
            insn.imm = insn.bits(16, 5);
            insn.ra = insn.bits(0, 4) << 28;
            insn.op = Ops.CCMP;
            return true;
        };
    }

    private static void compare(Cpu cpu, Insn insn) {
        cpu.s.nzcv = compared(cpu.x, insn, cpu.s.nzcv);
    }

    /** {@return the flags after CCMP or CCMN with flags {@code nzcv} before} */
    public static int compared(long[] x, Insn insn, int nzcv) {
        if (!Flags.holds(insn.a, nzcv)) {
            return insn.ra;
        }
        long left = x[insn.rn];
        long right = (insn.b & 2) != 0 ? insn.imm : x[insn.rm];
        if ((insn.b & 1) != 0) {
            return insn.c == 1 ? Flags.sub64(left, right, left - right)
                    : Flags.sub32((int) left, (int) right, (int) left - (int) right);
        }
        return insn.c == 1 ? Flags.add64(left, right, left + right)
                : Flags.add32((int) left, (int) right, (int) left + (int) right);
    }

    /** From the floating-point flags of other architectures (Z and C) to Arm's. */
    private static int fromExternal(int nzcv) {
        boolean z = (nzcv & CpuState.Z) != 0;
        boolean c = (nzcv & CpuState.C) != 0;
        return (!c && !z ? CpuState.N : 0) | (z && c ? CpuState.Z : 0) | (c || z ? CpuState.C : 0)
                | (!c && z ? CpuState.V : 0);
    }

    private static int toExternal(int nzcv) {
        boolean v = (nzcv & CpuState.V) != 0;
        return ((nzcv & CpuState.Z) != 0 || v ? CpuState.Z : 0) | (v ? 0 : nzcv & CpuState.C);
    }

    private static boolean rmifFields(Insn insn) {
        insn.rn = xOrZr(rnField(insn));
        insn.a = insn.bits(15, 6);
        insn.b = insn.bits(0, 4) << 28;
        return true;
    }

    private static void rmif(Cpu cpu, Insn insn) {
        int rotated = (int) Long.rotateRight(cpu.x[insn.rn], insn.a) << 28;
        cpu.s.nzcv = cpu.s.nzcv & ~insn.b | rotated & insn.b;
    }

    private static boolean setfFields(Insn insn) {
        insn.rn = xOrZr(rnField(insn));
        return true;
    }

    private static void setf(Cpu cpu, int value, int signBit) {
        int low = value << 31 - signBit;
        int overflow = (value >>> signBit ^ value >>> signBit + 1) & 1;
        cpu.s.nzcv = cpu.s.nzcv & CpuState.C | low & CpuState.N | (low == 0 ? CpuState.Z : 0) | overflow << 28;
    }
}
