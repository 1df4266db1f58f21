package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Lanes.each;
import static gunyah.arm64.fp.Lanes.sx;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.fp.Lanes.HalfOp;
import gunyah.arm64.fp.Lanes.LaneOp;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * Advanced SIMD two-register miscellaneous and its scalar form on integers (Arm ARM C4.1.95). Vd, Vn; {@code a} the
 * element size (the narrow one when two sizes meet), {@code b} Q.
 */
final class TwoRegMisc {
    static final List<InstructionRow> ROWS = rows();

    private TwoRegMisc() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        vector(rows, "REV64", 0, 0b00000, Encoding::vectorUpTo32, (s, z, d, n, m) -> VectorHalves.reverse(z, 3, n));
        vector(rows, "REV32", 1, 0b00000, i -> Encoding.vector(i) && i.a < 2,
                (s, z, d, n, m) -> VectorHalves.reverse(z, 2, n));
        vector(rows, "REV16", 0, 0b00001, i -> Encoding.vector(i) && i.a < 1,
                (s, z, d, n, m) -> VectorHalves.reverse(z, 1, n));
        longPairs(rows, "SADDLP", 0, 0b00010, (s, z, d, n, m) -> sx(n, z) + sx(m, z));
        longPairs(rows, "UADDLP", 1, 0b00010, (s, z, d, n, m) -> n + m);
        both(rows, "SUQADD", 0, 0b00011, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.suqadd(s, z, d, n));
        both(rows, "USQADD", 1, 0b00011, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.usqadd(s, z, d, n));
        vector(rows, "CLS", 0, 0b00100, Encoding::vectorUpTo32, each((s, z, d, n, m) -> leadingSigns(z, n)));
        vector(rows, "CLZ", 1, 0b00100, Encoding::vectorUpTo32,
                each((s, z, d, n, m) -> Long.numberOfLeadingZeros(n) - 64 + (8 << z)));
        fixed(rows, "CNT", "0", "00", (s, z, d, n, m) -> LaneArithmetic.countBytes(n));
        fixed(rows, "NOT", "1", "00", (s, z, d, n, m) -> ~n);
        fixed(rows, "RBIT", "1", "01", (s, z, d, n, m) -> Long.reverseBytes(Long.reverse(n)));
        longPairs(rows, "SADALP", 0, 0b00110, (s, z, d, n, m) -> d + sx(n, z) + sx(m, z));
        longPairs(rows, "UADALP", 1, 0b00110, (s, z, d, n, m) -> d + n + m);
        both(rows, "SQABS", 0, 0b00111, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.sqabs(s, z, n));
        both(rows, "SQNEG", 1, 0b00111, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.sqneg(s, z, n));
        wide(rows, "CMGT_z", 0, 0b01000, (s, z, d, n, m) -> ~LaneArithmetic.greaterEqual(z, 0, n));
        wide(rows, "CMGE_z", 1, 0b01000, (s, z, d, n, m) -> LaneArithmetic.greaterEqual(z, n, 0));
        wide(rows, "CMEQ_z", 0, 0b01001, (s, z, d, n, m) -> LaneArithmetic.isZero(z, n));
        wide(rows, "CMLE_z", 1, 0b01001, (s, z, d, n, m) -> LaneArithmetic.greaterEqual(z, 0, n));
        wide(rows, "CMLT_z", 0, 0b01010, (s, z, d, n, m) -> ~LaneArithmetic.greaterEqual(z, n, 0));
        wide(rows, "ABS", 0, 0b01011, each((s, z, d, n, m) -> LaneArithmetic.absolute(z, n)));
        wide(rows, "NEG", 1, 0b01011, (s, z, d, n, m) -> LaneArithmetic.sub(z, 0, n));
        rows.add(row("XTN", "0Q001110" + tail(0b10010), Encoding::narrow,
                (cpu, i) -> writePart(cpu, i, Lanes.evens(i.a, cpu.v[2 * i.rn], cpu.v[2 * i.rn + 1]))));
        narrow(rows, "SQXTUN", 1, 0b10010, (s, z, d, n, m) -> LaneArithmetic.satU(s, z, sx(n, z + 1)));
        LaneOp shll = (s, z, d, n, m) -> n << (8 << z);
        rows.add(row("SHLL", "0Q101110" + tail(0b10011), Encoding::narrow,
                (cpu, i) -> ThreeDifferent.lengthen(cpu, i, shll, cpu.v[2 * i.rn + i.b], 0)));
        narrow(rows, "SQXTN", 0, 0b10100, (s, z, d, n, m) -> LaneArithmetic.satS(s, z, sx(n, z + 1)));
        narrow(rows, "UQXTN", 1, 0b10100, (s, z, d, n, m) -> LaneArithmetic.satUnsigned(s, z, n));
        fixed(rows, "URECPE", "0", "10", 0b11100, each((s, z, d, n, m) -> FpEstimate.unsignedReciprocal(n)));
        fixed(rows, "URSQRTE", "1", "10", 0b11100, each((s, z, d, n, m) -> FpEstimate.unsignedReciprocalRoot(n)));
        return rows;
    }

    private static String tail(int opcode) {
        return " zz 10000 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd";
    }

    private static void vector(List<InstructionRow> rows, String name, int u, int opcode, Fields fields, HalfOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(opcode), fields, Lanes.vector(op)));
    }

    private static void both(List<InstructionRow> rows, String name, int u, int opcode, Fields scalar, LaneOp op) {
        vector(rows, name, u, opcode, Encoding::vector, each(op));
        rows.add(row(name + "_s", "01" + u + "11110" + tail(opcode), scalar, Lanes.scalar(op)));
    }

    private static void wide(List<InstructionRow> rows, String name, int u, int opcode, HalfOp op) {
        vector(rows, name, u, opcode, Encoding::vector, op);
        rows.add(row(name + "_s", "01" + u + "11110" + tail(opcode), Encoding::scalar64, Lanes.scalar(op::apply)));
    }

    private static void fixed(List<InstructionRow> rows, String name, String u, String size, HalfOp op) {
        fixed(rows, name, u, size, 0b00101, op);
    }

    private static void fixed(List<InstructionRow> rows, String name, String u, String size, int opcode, HalfOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110 " + size + tail(opcode).substring(3), Encoding::vector,
                Lanes.vector(op)));
    }

    private static void longPairs(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        vector(rows, name, u, opcode, Encoding::vectorUpTo32, (s, size, d, n, m) -> {
            int width = 8 << size;
            long narrow = Lanes.mask(size);
            long wide = Lanes.mask(size + 1);
            long result = 0;
            for (int bit = 0; bit < 64; bit += 2 * width) {
                long sum = op.apply(s, size, d >>> bit & wide, n >>> bit & narrow, n >>> bit + width & narrow);
                result |= (sum & wide) << bit;
            }
            return result;
        });
    }

    private static void narrow(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(opcode), Encoding::narrow, narrowing(op)));
        rows.add(row(name + "_s", "01" + u + "11110" + tail(opcode), Encoding::narrow, (cpu, i) -> {
            long wide = Lanes.get(cpu.v, i.rn, i.a + 1, 0);
            cpu.v[2 * i.rd] = op.apply(cpu.s, i.a, 0, wide, 0) & Lanes.mask(i.a);
            cpu.v[2 * i.rd + 1] = 0;
        }));
    }

    private static Semantics narrowing(LaneOp op) {
        return (cpu, i) -> {
            long low = narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn]);
            writePart(cpu, i, low | narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn + 1]) << 32);
        };
    }

    /** Narrow elements, in the low 32 bits, from the wide ones of {@code n}. */
    static long narrowHalf(CpuState s, int size, LaneOp op, long n) {
        int width = 8 << size;
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            long element = op.apply(s, size, 0, n >>> 2 * bit & Lanes.mask(size + 1), 0);
            result |= (element & Lanes.mask(size)) << bit;
        }
        return result;
    }

    /** Writes the lower half of Vd and clears the rest, or the upper half only (second-part forms, Q = 1). */
    static void writePart(Cpu cpu, Insn i, long half) {
        if (i.b == 0) {
            cpu.v[2 * i.rd] = half;
            cpu.v[2 * i.rd + 1] = 0;
        } else {
            cpu.v[2 * i.rd + 1] = half;
        }
    }

    private static long leadingSigns(int size, long n) {
        long x = sx(n, size);
        return Long.numberOfLeadingZeros(x ^ x >> 63) - 1 - 64 + (8 << size);
    }
}
