package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.LOW;
import static gunyah.arm64.semantics.Rows.generalRegisters;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrNowhere;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import java.util.List;

/**
 * PC-relative addressing, move wide, bitfield and extract (C4.1.92). The operands are folded while decoding: MOVZ and
 * MOVN become a constant; UBFM and SBFM become shift and mask, see {@link Ops}.
 */
final class MoveAndBitfield {
    static final List<InstructionRow> ROWS = List.of(
            row("ADR", "0 ii 10000 iiiiiiiiiiiiiiiiiii ddddd", MoveAndBitfield::adrFields,
                    (cpu, insn) -> cpu.x[insn.rd] = cpu.s.pc + insn.imm),
            row("ADRP", "1 ii 10000 iiiiiiiiiiiiiiiiiii ddddd", MoveAndBitfield::adrpFields,
                    (cpu, insn) -> cpu.x[insn.rd] = (cpu.s.pc & -4096) + insn.imm),
            row("MOVN", "z 00 100101 hh iiiiiiiiiiiiiiii ddddd", insn -> constant(insn, true),
                    (cpu, insn) -> cpu.x[insn.rd] = insn.imm),
            row("MOVZ", "z 10 100101 hh iiiiiiiiiiiiiiii ddddd", insn -> constant(insn, false),
                    (cpu, insn) -> cpu.x[insn.rd] = insn.imm),
            row("MOVK", "z 11 100101 hh iiiiiiiiiiiiiiii ddddd", MoveAndBitfield::movkFields, MoveAndBitfield::movk),
            row("SBFM", "z 00 100110 N rrrrrr ssssss nnnnn ddddd", MoveAndBitfield::sbfmFields,
                    MoveAndBitfield::sbfm),
            row("BFM", "z 01 100110 N rrrrrr ssssss nnnnn ddddd", MoveAndBitfield::bfmFields, MoveAndBitfield::bfm),
            row("UBFM", "z 10 100110 N rrrrrr ssssss nnnnn ddddd", MoveAndBitfield::ubfmFields,
                    MoveAndBitfield::ubfm),
            row("EXTR", "z 00 100111 N 0 mmmmm ssssss nnnnn ddddd", MoveAndBitfield::extrFields,
                    MoveAndBitfield::extr));

    private MoveAndBitfield() {
    }

    private static boolean adrFields(Insn insn) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.imm = (long) insn.signedBits(5, 19) << 2 | insn.bits(29, 2);
        insn.op = Ops.ADR;
        return true;
    }

    private static boolean adrpFields(Insn insn) {
        adrFields(insn);
        insn.imm <<= 12;
        insn.op = Ops.ADRP;
        return true;
    }

    private static boolean constant(Insn insn, boolean inverted) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.c = insn.word >>> 31;
        int shift = insn.bits(21, 2) * 16;
        long value = (long) insn.bits(5, 16) << shift;
        value = inverted ? ~value : value;
        insn.imm = insn.c == 1 ? value : value & LOW;
        insn.op = Ops.CONST;
        return insn.c == 1 || shift < 32;
    }

    private static boolean movkFields(Insn insn) {
        insn.rd = xOrNowhere(rdField(insn));
        insn.c = insn.word >>> 31;
        insn.a = insn.bits(21, 2) * 16;
        insn.imm = (long) insn.bits(5, 16) << insn.a;
        insn.op = insn.c == 1 ? Ops.MOVK_X : Ops.MOVK_W;
        return insn.c == 1 || insn.a < 32;
    }

    private static void movk(Cpu cpu, Insn insn) {
        long result = cpu.x[insn.rd] & ~(0xFFFFL << insn.a) | insn.imm;
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    /** Common checks of the bitfield group; leaves immr in a and imms in b. */
    private static boolean bitfield(Insn insn) {
        generalRegisters(insn);
        insn.a = insn.bits(16, 6);
        insn.b = insn.bits(10, 6);
        return insn.bits(22, 1) == insn.c && (insn.c == 1 || insn.a < 32 && insn.b < 32);
    }

    private static long ones(int count) {
        return count == 64 ? -1 : (1L << count) - 1;
    }

    private static boolean ubfmFields(Insn insn) {
        if (!bitfield(insn)) {
            return false;
        }
        int immr = insn.a;
        int imms = insn.b;
        if (imms >= immr) {
            insn.op = Ops.UBFX;
            insn.imm = ones(imms - immr + 1);
        } else {
            insn.op = Ops.UBFIZ;
            insn.a = (insn.c == 1 ? 64 : 32) - immr;
            insn.imm = ones(imms + 1);
        }
        return true;
    }

    private static void ubfm(Cpu cpu, Insn insn) {
        long value = cpu.x[insn.rn];
        cpu.x[insn.rd] = insn.op == Ops.UBFX ? value >>> insn.a & insn.imm : (value & insn.imm) << insn.a;
    }

    private static boolean sbfmFields(Insn insn) {
        if (!bitfield(insn)) {
            return false;
        }
        int immr = insn.a;
        int imms = insn.b;
        insn.op = insn.c == 1 ? Ops.SBFM_X : Ops.SBFM_W;
        insn.a = 63 - imms;
        insn.b = imms >= immr ? insn.a + immr : insn.a - ((insn.c == 1 ? 64 : 32) - immr);
        return true;
    }

    private static void sbfm(Cpu cpu, Insn insn) {
        long result = cpu.x[insn.rn] << insn.a >> insn.b;
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static boolean bfmFields(Insn insn) {
        if (!bitfield(insn)) {
            return false;
        }
        int immr = insn.a;
        int imms = insn.b;
        insn.op = insn.c == 1 ? Ops.BFM_X : Ops.BFM_W;
        if (imms >= immr) {
            insn.imm = ones(imms - immr + 1);
        } else {
            int lsb = (insn.c == 1 ? 64 : 32) - immr;
            insn.imm = ones(imms + 1) << lsb;
            insn.a = -lsb & 63;
        }
        return true;
    }

    private static void bfm(Cpu cpu, Insn insn) {
        long result = cpu.x[insn.rd] & ~insn.imm | Long.rotateRight(cpu.x[insn.rn], insn.a) & insn.imm;
        cpu.x[insn.rd] = insn.c == 1 ? result : result & LOW;
    }

    private static boolean extrFields(Insn insn) {
        generalRegisters(insn);
        insn.a = insn.bits(10, 6);
        insn.op = insn.c == 1 ? Ops.EXTR_X : Ops.EXTR_W;
        return insn.bits(22, 1) == insn.c && (insn.c == 1 || insn.a < 32);
    }

    private static void extr(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = insn.c == 1 ? extract64(cpu.x[insn.rn], cpu.x[insn.rm], insn.a)
                : extract32(cpu.x[insn.rn], cpu.x[insn.rm], insn.a);
    }

    /** {@return 64 bits of {@code high:low} from bit {@code lsb} (0..63) on} */
    static long extract64(long high, long low, int lsb) {
        return low >>> lsb | high << 1 << 63 - lsb;
    }

    /** {@return 32 bits of the words {@code high:low} from bit {@code lsb} (0..31) on, zero extended} */
    static long extract32(long high, long low, int lsb) {
        return (high << 32 | low & LOW) >>> lsb & LOW;
    }
}
