package gunyah.arm64.semantics;

import static gunyah.arm64.state.CpuState.SP;
import static gunyah.arm64.state.CpuState.ZR_READ;
import static gunyah.arm64.state.CpuState.ZR_WRITE;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Semantics;

/** How the tables of this package are written: patterns may contain blanks, register fields are resolved by name. */
final class Rows {
    static final long LOW = 0xFFFF_FFFFL;

    private Rows() {
    }

    static InstructionRow row(String name, String pattern, Fields fields, Semantics semantics) {
        return InstructionRow.of(name, pattern.replace(" ", ""), fields, semantics);
    }

    static InstructionRow gated(String name, String feature, String pattern, Fields fields, Semantics semantics) {
        return new InstructionRow(name, pattern.replace(" ", ""), feature, 0, false, fields, semantics);
    }

    /** A row whose semantics sets the PC. */
    static InstructionRow branch(String name, String pattern, Fields fields, Semantics semantics) {
        return new InstructionRow(name, pattern.replace(" ", ""), "", 0, true, fields, semantics);
    }

    static InstructionRow gatedBranch(String name, String feature, String pattern, Fields fields,
            Semantics semantics) {
        return new InstructionRow(name, pattern.replace(" ", ""), feature, 0, true, fields, semantics);
    }

    /** {@return the index to read general register {@code field}, 31 meaning zero} */
    static int xOrZr(int field) {
        return field == 31 ? ZR_READ : field;
    }

    /** {@return the index to write general register {@code field}, 31 meaning nowhere} */
    static int xOrNowhere(int field) {
        return field == 31 ? ZR_WRITE : field;
    }

    /** {@return the index of general register {@code field}, 31 meaning the stack pointer} */
    static int xOrSp(int field) {
        return field == 31 ? SP : field;
    }

    static int rdField(Insn insn) {
        return insn.bits(0, 5);
    }

    static int rnField(Insn insn) {
        return insn.bits(5, 5);
    }

    static int rmField(Insn insn) {
        return insn.bits(16, 5);
    }

    /** Rd, Rn, Rm as general registers or zero, and the width from bit 31. */
    static void generalRegisters(Insn insn) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.rn = xOrZr(rnField(insn));
        insn.rm = xOrZr(rmField(insn));
        insn.c = insn.word >>> 31;
    }
}
