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
 * Floating-point rows of the two-register miscellaneous and shift by immediate groups, vector and scalar (Arm ARM
 * C4.1.95): conversions, rounding, estimates, comparisons with zero. {@code a} is 1 for half, 2 for single and 3 for
 * double precision (the narrow format where two meet), {@code b} Q, {@code c} the fraction bits of fixed point.
 */
final class SimdFpMisc {
    static final List<InstructionRow> ROWS = rows();

    private static final int CURRENT = -1;

    private SimdFpMisc() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        compares(rows);
        rounding(rows);
        toInteger(rows, "FCVTN", 0, 0b11010, SoftFloat.TIE_EVEN);
        toInteger(rows, "FCVTM", 0, 0b11011, SoftFloat.TO_MINUS);
        toInteger(rows, "FCVTA", 0, 0b11100, SoftFloat.TIE_AWAY);
        toInteger(rows, "FCVTP", 1, 0b11010, SoftFloat.TO_PLUS);
        toInteger(rows, "FCVTZ", 1, 0b11011, SoftFloat.TO_ZERO);
        both(rows, "SCVTF_int", 0, 0, 0b11101,
                (s, z, d, n, m) -> FpConversion.fromFixed(s, z, Lanes.sx(n, z), 0, false));
        both(rows, "UCVTF_int", 1, 0, 0b11101, (s, z, d, n, m) -> FpConversion.fromFixed(s, z, n, 0, true));
        vector(rows, "FABS", 0, 1, 0b01111, (s, z, d, n, m) -> FpArithmetic.abs(z, n));
        vector(rows, "FNEG", 1, 1, 0b01111, (s, z, d, n, m) -> FpArithmetic.neg(z, n));
        both(rows, "FRECPE", 0, 1, 0b11101, (s, z, d, n, m) -> FpEstimate.recpe(s, z, n));
        both(rows, "FRSQRTE", 1, 1, 0b11101, (s, z, d, n, m) -> FpEstimate.rsqrte(s, z, n));
        scalar(rows, "FRECPX", 0, 1, 0b11111, (s, z, d, n, m) -> FpEstimate.recpx(s, z, n));
        vector(rows, "FSQRT", 1, 1, 0b11111, (s, z, d, n, m) -> FpArithmetic.sqrt(s, z, n));
        formats(rows);
        fixedPoint(rows, "SCVTF_fix", 0, 0b11100,
                (s, z, d, n, m) -> FpConversion.fromFixed(s, z, Lanes.sx(n, z), (int) m, false));
        fixedPoint(rows, "UCVTF_fix", 1, 0b11100, (s, z, d, n, m) -> FpConversion.fromFixed(s, z, n, (int) m, true));
        fixedPoint(rows, "FCVTZS_fix", 0, 0b11111, (s, z, d, n, m) -> FpConversion.toFixed(s, z, n, (int) m, false,
                8 << z, SoftFloat.TO_ZERO));
        fixedPoint(rows, "FCVTZU_fix", 1, 0b11111, (s, z, d, n, m) -> FpConversion.toFixed(s, z, n, (int) m, true,
                8 << z, SoftFloat.TO_ZERO));
        return rows;
    }

    private static void compares(List<InstructionRow> rows) {
        both(rows, "FCMGT_z", 0, 1, 0b01100, (s, z, d, n, m) -> FpArithmetic.greater(s, z, n, 0));
        both(rows, "FCMGE_z", 1, 1, 0b01100, (s, z, d, n, m) -> FpArithmetic.greaterEqual(s, z, n, 0));
        both(rows, "FCMEQ_z", 0, 1, 0b01101, (s, z, d, n, m) -> FpArithmetic.equal(s, z, n, 0));
        both(rows, "FCMLE_z", 1, 1, 0b01101, (s, z, d, n, m) -> FpArithmetic.greaterEqual(s, z, 0, n));
        both(rows, "FCMLT_z", 0, 1, 0b01110, (s, z, d, n, m) -> FpArithmetic.greater(s, z, 0, n));
    }

    private static void rounding(List<InstructionRow> rows) {
        round(rows, "FRINTN", 0, 0, 0b11000, SoftFloat.TIE_EVEN, false);
        round(rows, "FRINTM", 0, 0, 0b11001, SoftFloat.TO_MINUS, false);
        round(rows, "FRINTP", 0, 1, 0b11000, SoftFloat.TO_PLUS, false);
        round(rows, "FRINTZ", 0, 1, 0b11001, SoftFloat.TO_ZERO, false);
        round(rows, "FRINTA", 1, 0, 0b11000, SoftFloat.TIE_AWAY, false);
        round(rows, "FRINTX", 1, 0, 0b11001, CURRENT, true);
        round(rows, "FRINTI", 1, 1, 0b11001, CURRENT, false);
        roundToSize(rows, "FRINT32Z", 0, 0b11110, 32, SoftFloat.TO_ZERO);
        roundToSize(rows, "FRINT32X", 1, 0b11110, 32, CURRENT);
        roundToSize(rows, "FRINT64Z", 0, 0b11111, 64, SoftFloat.TO_ZERO);
        roundToSize(rows, "FRINT64X", 1, 0b11111, 64, CURRENT);
    }

    private static void roundToSize(List<InstructionRow> rows, String name, int u, int opcode, int bits, int mode) {
        rows.add(row(name + "_v", "FEAT_FRINTTS", "0Q" + u + "01110" + tail(0, opcode), Encoding::vectorFp,
                Lanes.vector(each((s, z, d, n, m) -> FpConversion.roundToSize(s, z, n, bits,
                        mode == CURRENT ? SoftFloat.mode(s) : mode)))));
    }

    private static void round(List<InstructionRow> rows, String name, int u, int high, int opcode, int mode,
            boolean exact) {
        vector(rows, name, u, high, opcode, (s, z, d, n, m) -> FpConversion.roundToInteger(s, z, n,
                mode == CURRENT ? SoftFloat.mode(s) : mode, exact));
    }

    private static void toInteger(List<InstructionRow> rows, String name, int high, int opcode, int mode) {
        both(rows, name + "S", 0, high, opcode,
                (s, z, d, n, m) -> FpConversion.toFixed(s, z, n, 0, false, 8 << z, mode));
        both(rows, name + "U", 1, high, opcode,
                (s, z, d, n, m) -> FpConversion.toFixed(s, z, n, 0, true, 8 << z, mode));
    }

    private static void formats(List<InstructionRow> rows) {
        String tail = "z 10000 10110 10 nnnnn ddddd";
        rows.add(row("FCVTN_v", "0Q001110 0" + tail, SimdFpMisc::narrowFormat,
                narrowing((s, z, d, n, m) -> FpConversion.convert(s, z + 1, z, n))));
        rows.add(row("FCVTXN_v", "0Q101110 01 10000 10110 10 nnnnn ddddd", SimdFpMisc::narrowFormat,
                narrowing((s, z, d, n, m) -> FpConversion.convert(s, 3, 2, n, SoftFloat.TO_ODD))));
        rows.add(row("FCVTXN_s", "01111110 01 10000 10110 10 nnnnn ddddd", SimdFpMisc::narrowFormat, (cpu, i) -> {
            cpu.v[2 * i.rd] = FpConversion.convert(cpu.s, 3, 2, cpu.v[2 * i.rn], SoftFloat.TO_ODD);
            cpu.v[2 * i.rd + 1] = 0;
        }));
        LaneOp widen = (s, z, d, n, m) -> FpConversion.convert(s, z, z + 1, n);
        rows.add(row("FCVTL_v", "0Q001110 0z 10000 10111 10 nnnnn ddddd", SimdFpMisc::narrowFormat,
                (cpu, i) -> ThreeDifferent.lengthen(cpu, i, widen, cpu.v[2 * i.rn + i.b], 0)));
    }

    /** {@code a} = 1 (half with single) or 2 (single with double). */
    private static boolean narrowFormat(Insn i) {
        Encoding.scalar(i);
        i.a = 1 + i.bits(22, 1);
        i.b = i.bits(30, 1);
        return true;
    }

    private static Semantics narrowing(LaneOp op) {
        return (cpu, i) -> {
            long low = TwoRegMisc.narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn]);
            TwoRegMisc.writePart(cpu, i, low | TwoRegMisc.narrowHalf(cpu.s, i.a, op, cpu.v[2 * i.rn + 1]) << 32);
        };
    }

    private static String tail(int high, int opcode) {
        return " " + high + "z 10000 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd";
    }

    private static String halfTail(int high, int opcode) {
        return " " + high + "1 11100 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd";
    }

    private static void vector(List<InstructionRow> rows, String name, int u, int high, int opcode, LaneOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(high, opcode), Encoding::vectorFp, Lanes.vector(each(op))));
        rows.add(row(name + "_v_h", Encoding.FP16, "0Q" + u + "01110" + halfTail(high, opcode), Encoding::half,
                Lanes.vector(each(op))));
    }

    private static void scalar(List<InstructionRow> rows, String name, int u, int high, int opcode, LaneOp op) {
        rows.add(row(name + "_s", "01" + u + "11110" + tail(high, opcode), Encoding::scalarFp, Lanes.scalar(op)));
        rows.add(row(name + "_s_h", Encoding.FP16, "01" + u + "11110" + halfTail(high, opcode), Encoding::half,
                Lanes.scalar(op)));
    }

    private static void both(List<InstructionRow> rows, String name, int u, int high, int opcode, LaneOp op) {
        vector(rows, name, u, high, opcode, op);
        scalar(rows, name, u, high, opcode, op);
    }

    private static void fixedPoint(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        String tail = "0 hhhh iii " + Encoding.binary(opcode, 5) + " 1 nnnnn ddddd";
        Semantics vector = (cpu, i) -> {
            long low = fixedHalf(cpu, i, op, cpu.v[2 * i.rn]);
            cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : fixedHalf(cpu, i, op, cpu.v[2 * i.rn + 1]);
            cpu.v[2 * i.rd] = low;
        };
        Semantics scalar = (cpu, i) -> {
            long mask = Lanes.mask(i.a);
            cpu.v[2 * i.rd] = op.apply(cpu.s, i.a, 0, cpu.v[2 * i.rn] & mask, i.c) & mask;
            cpu.v[2 * i.rd + 1] = 0;
        };
        String half = "0 001i iii " + Encoding.binary(opcode, 5) + " 1 nnnnn ddddd";
        rows.add(row(name + "_v", "0Q" + u + "01111" + tail, i -> ShiftImmediate.rightVector(i) && i.a >= 2, vector));
        rows.add(row(name + "_v_h", Encoding.FP16, "0Q" + u + "01111" + half, ShiftImmediate::rightVector, vector));
        rows.add(row(name + "_s", "01" + u + "11111" + tail, i -> ShiftImmediate.rightScalar(i) && i.a >= 2, scalar));
        rows.add(row(name + "_s_h", Encoding.FP16, "01" + u + "11111" + half, ShiftImmediate::rightScalar, scalar));
    }

    private static long fixedHalf(Cpu cpu, Insn i, LaneOp op, long n) {
        long mask = Lanes.mask(i.a);
        long result = 0;
        for (int bit = 0; bit < 64; bit += 8 << i.a) {
            result |= (op.apply(cpu.s, i.a, 0, n >>> bit & mask, i.c) & mask) << bit;
        }
        return result;
    }
}
