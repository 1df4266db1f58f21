package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Lanes.each;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.fp.Lanes.LaneOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Floating-point rows with two or three vector operands (Arm ARM C4.1.95): three same, scalar three same, pairwise,
 * across lanes, by element. {@code a} is 1 for half, 2 for single and 3 for double precision, {@code b} Q,
 * {@code c} the element.
 */
final class SimdFp {
    static final List<InstructionRow> ROWS = rows();

    private SimdFp() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        LaneOp fmla = (s, z, d, n, m) -> FpArithmetic.fma(s, z, d, n, m);
        LaneOp fmls = (s, z, d, n, m) -> FpArithmetic.fma(s, z, d, FpArithmetic.neg(z, n), m);
        LaneOp fadd = (s, z, d, n, m) -> FpArithmetic.add(s, z, n, m);
        LaneOp fmul = (s, z, d, n, m) -> FpArithmetic.mul(s, z, n, m);
        LaneOp fmulx = (s, z, d, n, m) -> FpArithmetic.mulx(s, z, n, m);
        LaneOp fmax = (s, z, d, n, m) -> FpArithmetic.max(s, z, n, m);
        LaneOp fmin = (s, z, d, n, m) -> FpArithmetic.min(s, z, n, m);
        LaneOp fmaxnm = (s, z, d, n, m) -> FpArithmetic.maxnm(s, z, n, m);
        LaneOp fminnm = (s, z, d, n, m) -> FpArithmetic.minnm(s, z, n, m);
        vector(rows, "FMAXNM", 0, 0, 0b11000, fmaxnm);
        vector(rows, "FMLA", 0, 0, 0b11001, fmla);
        vector(rows, "FADD", 0, 0, 0b11010, fadd);
        both(rows, "FMULX", 0, 0, 0b11011, fmulx);
        both(rows, "FCMEQ", 0, 0, 0b11100, (s, z, d, n, m) -> FpArithmetic.equal(s, z, n, m));
        vector(rows, "FMAX", 0, 0, 0b11110, fmax);
        both(rows, "FRECPS", 0, 0, 0b11111, (s, z, d, n, m) -> SoftFloat.step(s, z, n, m, false));
        vector(rows, "FMINNM", 0, 1, 0b11000, fminnm);
        vector(rows, "FMLS", 0, 1, 0b11001, fmls);
        vector(rows, "FSUB", 0, 1, 0b11010, (s, z, d, n, m) -> FpArithmetic.sub(s, z, n, m));
        vector(rows, "FMIN", 0, 1, 0b11110, fmin);
        both(rows, "FRSQRTS", 0, 1, 0b11111, (s, z, d, n, m) -> SoftFloat.step(s, z, n, m, true));
        pairwise(rows, "FMAXNMP", 0, 0b11000, fmaxnm);
        pairwise(rows, "FADDP", 0, 0b11010, fadd);
        vector(rows, "FMUL", 1, 0, 0b11011, fmul);
        both(rows, "FCMGE", 1, 0, 0b11100, (s, z, d, n, m) -> FpArithmetic.greaterEqual(s, z, n, m));
        both(rows, "FACGE", 1, 0, 0b11101,
                (s, z, d, n, m) -> FpArithmetic.greaterEqual(s, z, FpArithmetic.abs(z, n), FpArithmetic.abs(z, m)));
        pairwise(rows, "FMAXP", 0, 0b11110, fmax);
        vector(rows, "FDIV", 1, 0, 0b11111, (s, z, d, n, m) -> FpArithmetic.div(s, z, n, m));
        pairwise(rows, "FMINNMP", 1, 0b11000, fminnm);
        both(rows, "FABD", 1, 1, 0b11010, (s, z, d, n, m) -> FpArithmetic.abd(s, z, n, m));
        both(rows, "FCMGT", 1, 1, 0b11100, (s, z, d, n, m) -> FpArithmetic.greater(s, z, n, m));
        both(rows, "FACGT", 1, 1, 0b11101,
                (s, z, d, n, m) -> FpArithmetic.greater(s, z, FpArithmetic.abs(z, n), FpArithmetic.abs(z, m)));
        pairwise(rows, "FMINP", 1, 0b11110, fmin);
        reductions(rows, "FMAXNM", 0, 0b01100, fmaxnm);
        pair(rows, "FADD", 0, 0b01101, fadd);
        reductions(rows, "FMAX", 0, 0b01111, fmax);
        reductions(rows, "FMINNM", 1, 0b01100, fminnm);
        reductions(rows, "FMIN", 1, 0b01111, fmin);
        byElement(rows, "FMLA", 0, 0b0001, fmla);
        byElement(rows, "FMLS", 0, 0b0101, fmls);
        byElement(rows, "FMUL", 0, 0b1001, fmul);
        byElement(rows, "FMULX", 1, 0b1001, fmulx);
        return rows;
    }

    private static String tail(int high, int opcode) {
        return " " + high + "z 1 mmmmm " + Encoding.binary(opcode, 5) + " 1 nnnnn ddddd";
    }

    private static String halfTail(int high, int opcode) {
        return " " + high + "10 mmmmm 00 " + Encoding.binary(opcode, 3) + " 1 nnnnn ddddd";
    }

    private static void vector(List<InstructionRow> rows, String name, int u, int high, int opcode, LaneOp op) {
        vector(rows, name, u, high, opcode, Lanes.vector(each(op)));
    }

    private static void vector(List<InstructionRow> rows, String name, int u, int high, int opcode, Semantics meaning) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(high, opcode), Encoding::vectorFp, meaning));
        rows.add(row(name + "_v_h", Encoding.FP16, "0Q" + u + "01110" + halfTail(high, opcode), Encoding::half,
                meaning));
    }

    private static void both(List<InstructionRow> rows, String name, int u, int high, int opcode, LaneOp op) {
        vector(rows, name, u, high, opcode, op);
        rows.add(row(name + "_s", "01" + u + "11110" + tail(high, opcode), Encoding::scalarFp, Lanes.scalar(op)));
        rows.add(row(name + "_s_h", Encoding.FP16, "01" + u + "11110" + halfTail(high, opcode), Encoding::half,
                Lanes.scalar(op)));
    }

    private static void pairwise(List<InstructionRow> rows, String name, int high, int opcode, LaneOp op) {
        vector(rows, name, 1, high, opcode, Lanes.pairwise(each(op)));
    }

    /** Scalar pairwise: the two elements of Vn. */
    private static void pair(List<InstructionRow> rows, String name, int high, int opcode, LaneOp op) {
        String tail = "z 11000 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd";
        Semantics meaning = (cpu, i) -> {
            long result = op.apply(cpu.s, i.a, 0, Lanes.get(cpu.v, i.rn, i.a, 0), Lanes.get(cpu.v, i.rn, i.a, 1));
            cpu.v[2 * i.rd] = result & Lanes.mask(i.a);
            cpu.v[2 * i.rd + 1] = 0;
        };
        rows.add(row(name + "P_s", "01111110 " + high + tail, Encoding::scalarFp, meaning));
        rows.add(row(name + "P_s_h", Encoding.FP16, "01011110 " + high + "0" + tail.substring(1), Encoding::half,
                meaning));
    }

    /** Scalar pairwise, and across the four single-precision or the half-precision lanes of Vn. */
    private static void reductions(List<InstructionRow> rows, String name, int high, int opcode, LaneOp op) {
        pair(rows, name, high, opcode, op);
        String tail = "0 11000 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd";
        rows.add(row(name + "V", "01101110 " + high + tail, i -> Encoding.vectorFp(i),
                (cpu, i) -> reduce(cpu, i, op)));
        rows.add(row(name + "V_h", Encoding.FP16, "0Q001110 " + high + tail, Encoding::half,
                (cpu, i) -> reduce(cpu, i, op)));
    }

    private static void reduce(Cpu cpu, Insn i, LaneOp op) {
        cpu.v[2 * i.rd] = reduce(cpu, i, op, 0, 8 << i.b >> i.a);
        cpu.v[2 * i.rd + 1] = 0;
    }

    /** Reduce of the manual: halves of the lanes first, because NaNs and flags depend on the order. */
    private static long reduce(Cpu cpu, Insn i, LaneOp op, int first, int count) {
        if (count == 1) {
            return Lanes.get(cpu.v, i.rn, i.a, first);
        }
        long low = reduce(cpu, i, op, first, count / 2);
        long high = reduce(cpu, i, op, first + count / 2, count / 2);
        return op.apply(cpu.s, i.a, 0, low, high);
    }

    private static void byElement(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        String tail = " 1z l mmmmm " + Encoding.binary(opcode, 4) + " h 0 nnnnn ddddd";
        rows.add(row(name + "_elt", "0Q" + u + "01111" + tail, i -> Encoding.vectorFp(i) && element(i),
                Lanes.vectorByElement(each(op))));
        rows.add(row(name + "_elt_s", "01" + u + "11111" + tail, i -> Encoding.scalarFp(i) && element(i),
                Lanes.scalarByElement(op)));
        String half = " 00 l k mmmm " + Encoding.binary(opcode, 4) + " h 0 nnnnn ddddd";
        rows.add(row(name + "_elt_h", Encoding.FP16, "0Q" + u + "01111" + half, SimdFp::halfElement,
                Lanes.vectorByElement(each(op))));
        rows.add(row(name + "_elt_s_h", Encoding.FP16, "01" + u + "11111" + half, SimdFp::halfElement,
                Lanes.scalarByElement(op)));
    }

    /** Elements of V0..V15, numbered by H:L:M. */
    static boolean halfElement(Insn i) {
        Encoding.half(i);
        i.rm &= 15;
        i.c = i.bits(11, 1) << 2 | i.bits(20, 2);
        return true;
    }

    private static boolean element(Insn i) {
        i.c = i.a == 2 ? i.bits(11, 1) << 1 | i.bits(21, 1) : i.bits(11, 1);
        return i.a == 2 || i.bits(21, 1) == 0;
    }
}
