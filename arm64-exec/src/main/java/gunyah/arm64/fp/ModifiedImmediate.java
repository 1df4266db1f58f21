package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/**
 * Advanced SIMD modified immediate (Arm ARM C4.1.95): MOVI, MVNI, ORR, BIC and FMOV with AdvSIMDExpandImm done while
 * decoding. {@code imm} is the 64-bit pattern (inverted for MVNI and BIC), {@code b} is Q.
 */
final class ModifiedImmediate {
    static final List<InstructionRow> ROWS = List.of(
            immediate("MOVI_L_sl", "0", "0hh0", i -> shifted32(i, 0), ModifiedImmediate::move),
            immediate("ORR_L_sl", "0", "0hh1", i -> shifted32(i, 0), ModifiedImmediate::or),
            immediate("MOVI_L_hl", "0", "10h0", i -> shifted16(i, 0), ModifiedImmediate::move),
            immediate("ORR_L_hl", "0", "10h1", i -> shifted16(i, 0), ModifiedImmediate::or),
            immediate("MOVI_M_sm", "0", "110h", i -> ones32(i, 0), ModifiedImmediate::move),
            immediate("MOVI_N_b", "0", "1110", ModifiedImmediate::bytes, ModifiedImmediate::move),
            immediate("FMOV_asimdimm_S", "0", "1111", ModifiedImmediate::single, ModifiedImmediate::move),
            immediate("MVNI_L_sl", "1", "0hh0", i -> shifted32(i, -1), ModifiedImmediate::move),
            immediate("BIC_L_sl", "1", "0hh1", i -> shifted32(i, -1), ModifiedImmediate::and),
            immediate("MVNI_L_hl", "1", "10h0", i -> shifted16(i, -1), ModifiedImmediate::move),
            immediate("BIC_L_hl", "1", "10h1", i -> shifted16(i, -1), ModifiedImmediate::and),
            immediate("MVNI_M_sm", "1", "110h", i -> ones32(i, -1), ModifiedImmediate::move),
            immediate("MOVI_D", "1", "1110", ModifiedImmediate::byteMask, ModifiedImmediate::move),
            immediate("FMOV_asimdimm_D", "1", "1111", ModifiedImmediate::doubleWord, ModifiedImmediate::move),
            row("FMOV_asimdimm_H", Encoding.FP16, "0Q00111100000 abc 1111 11 efghi ddddd", ModifiedImmediate::half,
                    ModifiedImmediate::move));

    private ModifiedImmediate() {
    }

    private static InstructionRow immediate(String name, String op, String cmode, Fields fields, Semantics semantics) {
        return row(name, "0Q" + op + "0111100000 abc " + cmode + " 01 efghi ddddd", fields, semantics);
    }

    private static int imm8(Insn i) {
        i.rd = i.bits(0, 5);
        i.b = i.bits(30, 1);
        return i.bits(16, 3) << 5 | i.bits(5, 5);
    }

    private static boolean shifted32(Insn i, long invert) {
        long element = (long) imm8(i) << 8 * i.bits(13, 2);
        i.imm = LaneArithmetic.replicate(2, element) ^ invert;
        return true;
    }

    private static boolean shifted16(Insn i, long invert) {
        long element = (long) imm8(i) << 8 * i.bits(13, 1);
        i.imm = LaneArithmetic.replicate(1, element) ^ invert;
        return true;
    }

    private static boolean ones32(Insn i, long invert) {
        int shift = 8 << i.bits(12, 1);
        long element = (long) imm8(i) << shift | (1L << shift) - 1;
        i.imm = LaneArithmetic.replicate(2, element) ^ invert;
        return true;
    }

    private static boolean bytes(Insn i) {
        i.imm = LaneArithmetic.replicate(0, imm8(i));
        return true;
    }

    private static boolean byteMask(Insn i) {
        int imm8 = imm8(i);
        long mask = 0;
        for (int bit = 0; bit < 8; bit++) {
            mask |= (imm8 >> bit & 1) * (0xFFL << 8 * bit);
        }
        i.imm = mask;
        return true;
    }

    private static boolean single(Insn i) {
        i.imm = LaneArithmetic.replicate(2, expand(imm8(i), 2));
        return true;
    }

    private static boolean half(Insn i) {
        i.imm = LaneArithmetic.replicate(1, expand(imm8(i), 1));
        return true;
    }

    private static boolean doubleWord(Insn i) {
        i.imm = expand(imm8(i), 3);
        return i.b == 1;
    }

    /** VFPExpandImm: {@code size} 1 half, 2 single, 3 double precision. */
    static long expand(int imm8, int size) {
        int exponentBits = size == 1 ? 5 : size == 2 ? 8 : 11;
        int fractionBits = (8 << size) - exponentBits - 1;
        long exponent = (imm8 & 0x40) == 0 ? 1L << exponentBits - 1 : (1L << exponentBits - 1) - 4;
        exponent |= imm8 >> 4 & 3;
        return ((long) imm8 >> 7 << exponentBits | exponent) << fractionBits | (long) (imm8 & 15) << fractionBits - 4;
    }

    private static void move(Cpu cpu, Insn i) {
        cpu.v[2 * i.rd] = i.imm;
        cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : i.imm;
    }

    private static void or(Cpu cpu, Insn i) {
        cpu.v[2 * i.rd] |= i.imm;
        cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : cpu.v[2 * i.rd + 1] | i.imm;
    }

    private static void and(Cpu cpu, Insn i) {
        cpu.v[2 * i.rd] &= i.imm;
        cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : cpu.v[2 * i.rd + 1] & i.imm;
    }
}
