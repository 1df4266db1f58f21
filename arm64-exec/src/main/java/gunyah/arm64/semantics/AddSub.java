package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.generalRegisters;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import java.util.List;

/**
 * Addition and subtraction (C4.1.92 immediate, C4.1.95 shifted, extended, with carry). Operands: immediate forms
 * {@code imm} (unsigned; {@code ADD}/{@code SUB} carry the sign in it); register forms shift or extension {@code b} and
 * amount {@code a}.
 */
final class AddSub {
    static final List<InstructionRow> ROWS = List.of(
            row("ADD_imm", "z 0 0 100010 h iiiiiiiiiiii nnnnn ddddd", AddSub::immediateAdd, AddSub::addImmediate),
            row("ADDS_imm", "z 0 1 100010 h iiiiiiiiiiii nnnnn ddddd",
                    insn -> immediateFlags(insn, Ops.ADDS_IMM_X, Ops.ADDS_IMM_W), AddSub::addsImmediate),
            row("SUB_imm", "z 1 0 100010 h iiiiiiiiiiii nnnnn ddddd", AddSub::immediateSub, AddSub::addImmediate),
            row("SUBS_imm", "z 1 1 100010 h iiiiiiiiiiii nnnnn ddddd",
                    insn -> immediateFlags(insn, Ops.SUBS_IMM_X, Ops.SUBS_IMM_W), AddSub::subsImmediate),
            row("ADD_shift", "z 0 0 01011 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.ADD_LSL_X, Ops.ADD_LSL_W, Ops.ADD_SHIFT_X, Ops.ADD_SHIFT_W),
                    AddSub::addShifted),
            row("ADDS_shift", "z 0 1 01011 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.ADDS_LSL_X, Ops.ADDS_LSL_W), AddSub::addsShifted),
            row("SUB_shift", "z 1 0 01011 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.SUB_LSL_X, Ops.SUB_LSL_W, Ops.SUB_SHIFT_X, Ops.CALL),
                    AddSub::subShifted),
            row("SUBS_shift", "z 1 1 01011 ss 0 mmmmm iiiiii nnnnn ddddd",
                    insn -> shifted(insn, Ops.SUBS_LSL_X, Ops.SUBS_LSL_W), AddSub::subsShifted),
            row("ADD_ext", "z 0 0 01011 00 1 mmmmm ooo iii nnnnn ddddd", AddSub::extendedAdd, AddSub::addExtended),
            row("ADDS_ext", "z 0 1 01011 00 1 mmmmm ooo iii nnnnn ddddd", insn -> extended(insn, false),
                    AddSub::addsExtended),
            row("SUB_ext", "z 1 0 01011 00 1 mmmmm ooo iii nnnnn ddddd", insn -> extended(insn, true),
                    AddSub::subExtended),
            row("SUBS_ext", "z 1 1 01011 00 1 mmmmm ooo iii nnnnn ddddd", insn -> extended(insn, false),
                    AddSub::subsExtended),
            row("ADC", "z 0 0 11010000 mmmmm 000000 nnnnn ddddd", insn -> carry(insn, Ops.ADC_X), AddSub::adc),
            row("ADCS", "z 0 1 11010000 mmmmm 000000 nnnnn ddddd", insn -> carry(insn, Ops.ADCS_X), AddSub::adcs),
            row("SBC", "z 1 0 11010000 mmmmm 000000 nnnnn ddddd", insn -> carry(insn, Ops.CALL), AddSub::sbc),
            row("SBCS", "z 1 1 11010000 mmmmm 000000 nnnnn ddddd", insn -> carry(insn, Ops.SBCS_X), AddSub::sbcs));

    private AddSub() {
    }

    private static boolean immediate(Insn insn) {
        insn.rn = xOrSp(rnField(insn));
        insn.c = insn.word >>> 31;
        insn.imm = (long) insn.bits(10, 12) << insn.bits(22, 1) * 12;
        return true;
    }

    private static boolean immediateAdd(Insn insn) {
        insn.rd = xOrSp(rdField(insn));
        insn.op = insn.word < 0 ? Ops.ADD_IMM_X : Ops.ADD_IMM_W;
        return immediate(insn);
    }

    private static boolean immediateSub(Insn insn) {
        immediateAdd(insn);
        insn.imm = -insn.imm;
        return true;
    }

    private static boolean immediateFlags(Insn insn, int op64, int op32) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.op = insn.word < 0 ? op64 : op32;
        return immediate(insn);
    }

    private static boolean shifted(Insn insn, int left64, int left32) {
        return shifted(insn, left64, left32, Ops.CALL, Ops.CALL);
    }

    private static boolean shifted(Insn insn, int left64, int left32, int other64, int other32) {
        generalRegisters(insn);
        insn.a = insn.bits(10, 6);
        insn.b = insn.bits(22, 2);
        if (insn.b == Shift.LSL) {
            insn.op = insn.c == 1 ? left64 : left32;
        } else {
            insn.op = insn.c == 1 ? other64 : other32;
        }
        return insn.b != Shift.ROR && (insn.c == 1 || insn.a < 32);
    }

    private static boolean extended(Insn insn, boolean toStackPointer) {
        generalRegisters(insn);
        insn.rn = xOrSp(rnField(insn));
        if (toStackPointer) {
            insn.rd = xOrSp(rdField(insn));
        }
        insn.a = insn.bits(10, 3);
        insn.b = insn.bits(13, 3);
        return insn.a <= 4;
    }

    private static boolean extendedAdd(Insn insn) {
        if (insn.word < 0) {
            insn.op = Ops.ADD_EXT_X;
        }
        return extended(insn, true);
    }

    private static boolean carry(Insn insn, int op64) {
        generalRegisters(insn);
        insn.op = insn.c == 1 ? op64 : Ops.CALL;
        return true;
    }

    private static void addImmediate(Cpu cpu, Insn insn) {
        long result = cpu.x[insn.rn] + insn.imm;
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static void addsImmediate(Cpu cpu, Insn insn) {
        adds(cpu, insn, cpu.x[insn.rn], insn.imm);
    }

    private static void subsImmediate(Cpu cpu, Insn insn) {
        subs(cpu, insn, cpu.x[insn.rn], insn.imm);
    }

    private static long shiftedOperand(Cpu cpu, Insn insn) {
        long value = cpu.x[insn.rm];
        return insn.c == 1 ? Shift.shift64(value, insn.b, insn.a) : Shift.shift32((int) value, insn.b, insn.a);
    }

    private static long extendedOperand(Cpu cpu, Insn insn) {
        return Shift.extend(cpu.x[insn.rm], insn.b, insn.a);
    }

    private static void addShifted(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] + shiftedOperand(cpu, insn));
    }

    private static void addsShifted(Cpu cpu, Insn insn) {
        adds(cpu, insn, cpu.x[insn.rn], shiftedOperand(cpu, insn));
    }

    private static void subShifted(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] - shiftedOperand(cpu, insn));
    }

    private static void subsShifted(Cpu cpu, Insn insn) {
        subs(cpu, insn, cpu.x[insn.rn], shiftedOperand(cpu, insn));
    }

    private static void addExtended(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] + extendedOperand(cpu, insn));
    }

    private static void addsExtended(Cpu cpu, Insn insn) {
        adds(cpu, insn, cpu.x[insn.rn], extendedOperand(cpu, insn));
    }

    private static void subExtended(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] - extendedOperand(cpu, insn));
    }

    private static void subsExtended(Cpu cpu, Insn insn) {
        subs(cpu, insn, cpu.x[insn.rn], extendedOperand(cpu, insn));
    }

    private static void adc(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] + cpu.x[insn.rm] + carryIn(cpu));
    }

    private static void adcs(Cpu cpu, Insn insn) {
        addsWithCarry(cpu, insn, cpu.x[insn.rm]);
    }

    private static void sbc(Cpu cpu, Insn insn) {
        set(cpu, insn, cpu.x[insn.rn] + ~cpu.x[insn.rm] + carryIn(cpu));
    }

    private static void sbcs(Cpu cpu, Insn insn) {
        addsWithCarry(cpu, insn, ~cpu.x[insn.rm]);
    }

    private static int carryIn(Cpu cpu) {
        return cpu.s.nzcv >>> 29 & 1;
    }

    private static void set(Cpu cpu, Insn insn, long result) {
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static void adds(Cpu cpu, Insn insn, long left, long right) {
        long result = left + right;
        cpu.s.nzcv = insn.c == 1 ? Flags.add64(left, right, result)
                : Flags.add32((int) left, (int) right, (int) result);
        set(cpu, insn, result);
    }

    private static void subs(Cpu cpu, Insn insn, long left, long right) {
        long result = left - right;
        cpu.s.nzcv = insn.c == 1 ? Flags.sub64(left, right, result)
                : Flags.sub32((int) left, (int) right, (int) result);
        set(cpu, insn, result);
    }

    private static void addsWithCarry(Cpu cpu, Insn insn, long right) {
        long left = cpu.x[insn.rn];
        long result = left + right + carryIn(cpu);
        cpu.s.nzcv = insn.c == 1 ? Flags.adc64(left, right, result)
                : Flags.adc32((int) left, (int) right, (int) result);
        set(cpu, insn, result);
    }
}
