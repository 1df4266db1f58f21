package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.branch;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import java.util.List;

/** Branches (C4.1.93). {@code imm} counts instructions; {@code a} is a condition's set of flags or a bit number. */
final class Branches {
    private static final int LR = 30;

    static final List<InstructionRow> ROWS = List.of(
            branch("B_cond", "0101010 0 iiiiiiiiiiiiiiiiiii 0 cccc", Branches::conditionFields,
                    (cpu, insn) -> jumpIf(cpu, insn, Flags.holds(insn.a, cpu.s.nzcv))),
            branch("B_uncond", "0 00101 iiiiiiiiiiiiiiiiiiiiiiiiii", insn -> immediate(insn, Ops.B),
                    (cpu, insn) -> jumpIf(cpu, insn, true)),
            branch("BL", "1 00101 iiiiiiiiiiiiiiiiiiiiiiiiii", insn -> immediate(insn, Ops.BL), Branches::bl),
            branch("CBZ", "z 011010 0 iiiiiiiiiiiiiiiiiii ttttt", insn -> compare(insn, Ops.CBZ_X, Ops.CBZ_W),
                    (cpu, insn) -> jumpIf(cpu, insn, operand(cpu, insn) == 0)),
            branch("CBNZ", "z 011010 1 iiiiiiiiiiiiiiiiiii ttttt", insn -> compare(insn, Ops.CBNZ_X, Ops.CBNZ_W),
                    (cpu, insn) -> jumpIf(cpu, insn, operand(cpu, insn) != 0)),
            branch("TBZ", "b 011011 0 bbbbb iiiiiiiiiiiiii ttttt", insn -> test(insn, Ops.TBZ),
                    (cpu, insn) -> jumpIf(cpu, insn, (cpu.x[insn.rn] >>> insn.a & 1) == 0)),
            branch("TBNZ", "b 011011 1 bbbbb iiiiiiiiiiiiii ttttt", insn -> test(insn, Ops.TBNZ),
                    (cpu, insn) -> jumpIf(cpu, insn, (cpu.x[insn.rn] >>> insn.a & 1) != 0)),
            branch("BR", "1101011 0 0 00 11111 000000 nnnnn 00000", insn -> register(insn, Ops.BR),
                    (cpu, insn) -> indirect(cpu, insn, cpu.x[insn.rn])),
            branch("BLR", "1101011 0 0 01 11111 000000 nnnnn 00000", insn -> register(insn, Ops.BLR),
                    (cpu, insn) -> call(cpu, cpu.x[insn.rn])),
            branch("RET", "1101011 0 0 10 11111 000000 nnnnn 00000", insn -> register(insn, Ops.BR),
                    (cpu, insn) -> cpu.s.pc = cpu.mmu.branchAddress(cpu.x[insn.rn])));

    private Branches() {
    }

    private static boolean conditionFields(Insn insn) {
        insn.a = Flags.set(insn.bits(0, 4));
        insn.imm = insn.signedBits(5, 19);
        insn.op = Ops.B_COND;
        return true;
    }

    private static boolean immediate(Insn insn, int op) {
        insn.imm = insn.signedBits(0, 26);
        insn.op = op;
        return true;
    }

    private static boolean compare(Insn insn, int op64, int op32) {
        insn.rn = xOrZr(rdField(insn));
        insn.c = insn.word >>> 31;
        insn.imm = insn.signedBits(5, 19);
        insn.op = insn.c == 1 ? op64 : op32;
        return true;
    }

    private static boolean test(Insn insn, int op) {
        insn.rn = xOrZr(rdField(insn));
        insn.a = insn.bits(31, 1) << 5 | insn.bits(19, 5);
        insn.imm = insn.signedBits(5, 14);
        insn.op = op;
        return true;
    }

    private static boolean register(Insn insn, int op) {
        insn.rn = xOrZr(rnField(insn));
        insn.op = op;
        return true;
    }

    private static long operand(Cpu cpu, Insn insn) {
        return insn.c == 1 ? cpu.x[insn.rn] : (int) cpu.x[insn.rn];
    }

    private static void jumpIf(Cpu cpu, Insn insn, boolean taken) {
        cpu.s.pc += taken ? insn.imm * 4 : 4;
    }

    private static void bl(Cpu cpu, Insn insn) {
        cpu.x[LR] = cpu.s.pc + 4;
        cpu.s.pc += insn.imm * 4;
    }

    /** What BR and its authenticating forms do once the target is known. */
    static void indirect(Cpu cpu, Insn insn, long target) {
        if (cpu.hasBranchTypes()) {
            int register = rnField(insn);
            boolean trampoline = register == 16 || register == 17;
            cpu.s.btype = trampoline || !cpu.isInGuardedPage() ? 1 : 3;
        }
        cpu.s.pc = cpu.mmu.branchAddress(target);
    }

    /** What BLR and its authenticating forms do once the target is known. */
    static void call(Cpu cpu, long target) {
        cpu.x[LR] = cpu.s.pc + 4;
        cpu.s.btype = cpu.hasBranchTypes() ? 2 : 0;
        cpu.s.pc = cpu.mmu.branchAddress(target);
    }
}
