package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import java.util.List;

/**
 * Advanced SIMD copy (Arm ARM C4.1.95): DUP, INS, SMOV, UMOV. {@code a} is the element size and {@code c} the element
 * number, both from imm5; {@code imm} the source element of INS (element).
 */
final class SimdCopy {
    static final List<InstructionRow> ROWS = List.of(
            row("DUP_asisdone_only", "01 0 11110000 iiiii 0 0000 1 nnnnn ddddd", SimdCopy::fields, SimdCopy::dupScalar),
            row("DUP_asimdins_DV_v", "0Q 0 01110000 iiiii 0 0000 1 nnnnn ddddd", SimdCopy::wide, SimdCopy::dupElement),
            row("DUP_asimdins_DR_r", "0Q 0 01110000 iiiii 0 0001 1 NNNNN ddddd", SimdCopy::wideFromX,
                    SimdCopy::dupGeneral),
            row("SMOV_asimdins", "0Q 0 01110000 iiiii 0 0101 1 nnnnn DDDDD", SimdCopy::smovFields, SimdCopy::smov),
            row("UMOV_asimdins", "0Q 0 01110000 iiiii 0 0111 1 nnnnn DDDDD", SimdCopy::umovFields, SimdCopy::umov),
            row("INS_asimdins_IR_r", "01 0 01110000 iiiii 0 0011 1 NNNNN ddddd", SimdCopy::fromX, SimdCopy::insGeneral),
            row("INS_asimdins_IV_v", "01 1 01110000 iiiii 0 jjjj 1 nnnnn ddddd", SimdCopy::insFields,
                    SimdCopy::insElement));

    private SimdCopy() {
    }

    private static boolean fields(Insn i) {
        int imm5 = i.bits(16, 5);
        i.a = Integer.numberOfTrailingZeros(imm5 | 16);
        i.c = imm5 >> i.a + 1;
        i.rd = i.bits(0, 5);
        i.rn = i.bits(5, 5);
        i.b = i.bits(30, 1);
        return (imm5 & 15) != 0;
    }

    private static boolean wide(Insn i) {
        return fields(i) && (i.a != 3 || i.b != 0);
    }

    private static boolean fromX(Insn i) {
        boolean allocated = fields(i);
        i.rn = Encoding.xRead(i.rn);
        return allocated;
    }

    private static boolean wideFromX(Insn i) {
        return fromX(i) && (i.a != 3 || i.b != 0);
    }

    private static boolean smovFields(Insn i) {
        boolean allocated = fields(i);
        i.rd = Encoding.xWrite(i.rd);
        return allocated && i.a < 2 + i.b;
    }

    private static boolean umovFields(Insn i) {
        boolean allocated = fields(i);
        i.rd = Encoding.xWrite(i.rd);
        return allocated && i.b == (i.a == 3 ? 1 : 0);
    }

    private static boolean insFields(Insn i) {
        boolean allocated = fields(i);
        i.imm = i.bits(11, 4) >> i.a;
        return allocated;
    }

    private static void dupScalar(Cpu cpu, Insn i) {
        cpu.v[2 * i.rd] = Lanes.get(cpu.v, i.rn, i.a, i.c);
        cpu.v[2 * i.rd + 1] = 0;
    }

    private static void dupElement(Cpu cpu, Insn i) {
        fill(cpu, i, Lanes.get(cpu.v, i.rn, i.a, i.c));
    }

    private static void dupGeneral(Cpu cpu, Insn i) {
        fill(cpu, i, cpu.x[i.rn]);
    }

    private static void fill(Cpu cpu, Insn i, long element) {
        long half = LaneArithmetic.replicate(i.a, element);
        cpu.v[2 * i.rd] = half;
        cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : half;
    }

    private static void smov(Cpu cpu, Insn i) {
        long value = Lanes.sx(Lanes.get(cpu.v, i.rn, i.a, i.c), i.a);
        cpu.x[i.rd] = i.b == 0 ? value & 0xFFFF_FFFFL : value;
    }

    private static void umov(Cpu cpu, Insn i) {
        cpu.x[i.rd] = Lanes.get(cpu.v, i.rn, i.a, i.c);
    }

    private static void insGeneral(Cpu cpu, Insn i) {
        Lanes.set(cpu.v, i.rd, i.a, i.c, cpu.x[i.rn]);
    }

    private static void insElement(Cpu cpu, Insn i) {
        Lanes.set(cpu.v, i.rd, i.a, i.c, Lanes.get(cpu.v, i.rn, i.a, (int) i.imm));
    }
}
