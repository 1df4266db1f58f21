package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Lanes.sx;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.fp.Lanes.LaneOp;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * Advanced SIMD three different and scalar three different (Arm ARM C4.1.95). {@code a} is the narrow element size,
 * {@code b} Q: the second-part forms read the upper half of their narrow operands or write the upper half of Vd.
 */
final class ThreeDifferent {
    static final List<InstructionRow> ROWS = rows();

    private ThreeDifferent() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        wide(rows, "SADDL", 0, 0b0000, (s, z, d, n, m) -> sx(n, z) + sx(m, z));
        wide(rows, "UADDL", 1, 0b0000, (s, z, d, n, m) -> n + m);
        wider(rows, "SADDW", 0, 0b0001, (s, z, d, n, m) -> n + sx(m, z));
        wider(rows, "UADDW", 1, 0b0001, (s, z, d, n, m) -> n + m);
        wide(rows, "SSUBL", 0, 0b0010, (s, z, d, n, m) -> sx(n, z) - sx(m, z));
        wide(rows, "USUBL", 1, 0b0010, (s, z, d, n, m) -> n - m);
        wider(rows, "SSUBW", 0, 0b0011, (s, z, d, n, m) -> n - sx(m, z));
        wider(rows, "USUBW", 1, 0b0011, (s, z, d, n, m) -> n - m);
        narrow(rows, "ADDHN", 0, 0b0100, (s, z, d, n, m) -> n + m >>> (8 << z));
        narrow(rows, "RADDHN", 1, 0b0100, (s, z, d, n, m) -> n + m + (1L << (8 << z) - 1) >>> (8 << z));
        wide(rows, "SABAL", 0, 0b0101, (s, z, d, n, m) -> d + LaneArithmetic.abdS(z, n, m));
        wide(rows, "UABAL", 1, 0b0101, (s, z, d, n, m) -> d + LaneArithmetic.abdU(n, m));
        narrow(rows, "SUBHN", 0, 0b0110, (s, z, d, n, m) -> n - m >>> (8 << z));
        narrow(rows, "RSUBHN", 1, 0b0110, (s, z, d, n, m) -> n - m + (1L << (8 << z) - 1) >>> (8 << z));
        wide(rows, "SABDL", 0, 0b0111, (s, z, d, n, m) -> LaneArithmetic.abdS(z, n, m));
        wide(rows, "UABDL", 1, 0b0111, (s, z, d, n, m) -> LaneArithmetic.abdU(n, m));
        wide(rows, "SMLAL", 0, 0b1000, (s, z, d, n, m) -> d + sx(n, z) * sx(m, z));
        wide(rows, "UMLAL", 1, 0b1000, (s, z, d, n, m) -> d + n * m);
        saturating(rows, "SQDMLAL", 0b1001, ThreeDifferent::sqdmlal);
        wide(rows, "SMLSL", 0, 0b1010, (s, z, d, n, m) -> d - sx(n, z) * sx(m, z));
        wide(rows, "UMLSL", 1, 0b1010, (s, z, d, n, m) -> d - n * m);
        saturating(rows, "SQDMLSL", 0b1011, ThreeDifferent::sqdmlsl);
        wide(rows, "SMULL", 0, 0b1100, (s, z, d, n, m) -> sx(n, z) * sx(m, z));
        wide(rows, "UMULL", 1, 0b1100, (s, z, d, n, m) -> n * m);
        saturating(rows, "SQDMULL", 0b1101, (s, z, d, n, m) -> LaneArithmetic.sqdmull(s, z, n, m));
        rows.add(row("PMULL_v", head(0) + " 00 1 mmmmm 1110 00 nnnnn ddddd", Encoding::vector,
                (cpu, i) -> lengthen(cpu, i, (s, z, d, n, m) -> LaneArithmetic.pmul8(n, m))));
        return rows;
    }

    static long sqdmlal(CpuState s, int size, long d, long n, long m) {
        return LaneArithmetic.sqadd(s, size + 1, d, LaneArithmetic.sqdmull(s, size, n, m));
    }

    static long sqdmlsl(CpuState s, int size, long d, long n, long m) {
        return LaneArithmetic.sqsub(s, size + 1, d, LaneArithmetic.sqdmull(s, size, n, m));
    }

    private static String head(int u) {
        return "0Q" + u + "01110";
    }

    private static String tail(int opcode) {
        return " zz 1 mmmmm " + Encoding.binary(opcode, 4) + " 00 nnnnn ddddd";
    }

    private static void wide(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_v", head(u) + tail(opcode), Encoding::narrow, (cpu, i) -> lengthen(cpu, i, op)));
    }

    private static void wider(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_v", head(u) + tail(opcode), Encoding::narrow, (cpu, i) -> widen(cpu, i, op)));
    }

    private static void narrow(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_v", head(u) + tail(opcode), Encoding::narrow, (cpu, i) -> narrow(cpu, i, op)));
    }

    private static void saturating(List<InstructionRow> rows, String name, int opcode, LaneOp op) {
        Fields sizes = i -> Encoding.narrow(i) && i.a != 0;
        rows.add(row(name + "_v", head(0) + tail(opcode), sizes, (cpu, i) -> lengthen(cpu, i, op)));
        rows.add(row(name + "_s", "01011110" + tail(opcode), sizes, (cpu, i) -> {
            long[] v = cpu.v;
            long m = Lanes.get(v, i.rm, i.a, 0);
            long d = Lanes.get(v, i.rd, i.a + 1, 0);
            v[2 * i.rd] = op.apply(cpu.s, i.a, d, Lanes.get(v, i.rn, i.a, 0), m) & Lanes.mask(i.a + 1);
            v[2 * i.rd + 1] = 0;
        }));
    }

    /** Wide elements of Vd from narrow ones of Vn and Vm. */
    static void lengthen(Cpu cpu, Insn i, LaneOp op) {
        long n = cpu.v[2 * i.rn + i.b];
        lengthen(cpu, i, op, n, cpu.v[2 * i.rm + i.b]);
    }

    /** As {@link #lengthen(Cpu, Insn, LaneOp)} with the narrow halves given. */
    static void lengthen(Cpu cpu, Insn i, LaneOp op, long n, long m) {
        long[] v = cpu.v;
        long d0 = v[2 * i.rd];
        long d1 = v[2 * i.rd + 1];
        v[2 * i.rd] = lengthenHalf(cpu.s, i.a, op, d0, n, m);
        v[2 * i.rd + 1] = lengthenHalf(cpu.s, i.a, op, d1, n >>> 32, m >>> 32);
    }

    private static long lengthenHalf(CpuState s, int size, LaneOp op, long d, long n, long m) {
        int width = 8 << size;
        long narrow = Lanes.mask(size);
        long wide = Lanes.mask(size + 1);
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            long element = op.apply(s, size, d >>> 2 * bit & wide, n >>> bit & narrow, m >>> bit & narrow);
            result |= (element & wide) << 2 * bit;
        }
        return result;
    }

    private static void widen(Cpu cpu, Insn i, LaneOp op) {
        long m = cpu.v[2 * i.rm + i.b];
        long low = widenHalf(cpu.s, i.a, op, cpu.v[2 * i.rn], m);
        cpu.v[2 * i.rd + 1] = widenHalf(cpu.s, i.a, op, cpu.v[2 * i.rn + 1], m >>> 32);
        cpu.v[2 * i.rd] = low;
    }

    private static long widenHalf(CpuState s, int size, LaneOp op, long n, long m) {
        int width = 8 << size;
        long wide = Lanes.mask(size + 1);
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            long element = op.apply(s, size, 0, n >>> 2 * bit & wide, m >>> bit & Lanes.mask(size));
            result |= (element & wide) << 2 * bit;
        }
        return result;
    }

    private static void narrow(Cpu cpu, Insn i, LaneOp op) {
        long low = narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn], cpu.v[2 * i.rm]);
        long high = narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn + 1], cpu.v[2 * i.rm + 1]);
        TwoRegMisc.writePart(cpu, i, low | high << 32);
    }

    /** Narrow elements, in the low 32 bits, from the wide ones of a half. */
    private static long narrowHalf(CpuState s, int size, LaneOp op, long n, long m) {
        int width = 8 << size;
        long wide = Lanes.mask(size + 1);
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            long element = op.apply(s, size, 0, n >>> 2 * bit & wide, m >>> 2 * bit & wide);
            result |= (element & Lanes.mask(size)) << bit;
        }
        return result;
    }
}
