package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Lanes.each;
import static gunyah.arm64.fp.Lanes.sx;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.fp.Lanes.HalfOp;
import gunyah.arm64.fp.Lanes.LaneOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Advanced SIMD vector x indexed element and its scalar form on integers (Arm ARM C4.1.95). {@code a} is the element
 * size, {@code b} Q, {@code c} the element number in Vm (bits H:L:M as far as the size needs them).
 */
final class ByElement {
    static final List<InstructionRow> ROWS = rows();

    private ByElement() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        same(rows, "MLA", 1, 0b0000, each((s, z, d, n, m) -> d + n * m));
        lengthening(rows, "SMLAL", 0, 0b0010, (s, z, d, n, m) -> d + sx(n, z) * sx(m, z));
        lengthening(rows, "UMLAL", 1, 0b0010, (s, z, d, n, m) -> d + n * m);
        lengtheningBoth(rows, "SQDMLAL", 0b0011, ThreeDifferent::sqdmlal);
        same(rows, "MLS", 1, 0b0100, each((s, z, d, n, m) -> d - n * m));
        lengthening(rows, "SMLSL", 0, 0b0110, (s, z, d, n, m) -> d - sx(n, z) * sx(m, z));
        lengthening(rows, "UMLSL", 1, 0b0110, (s, z, d, n, m) -> d - n * m);
        lengtheningBoth(rows, "SQDMLSL", 0b0111, ThreeDifferent::sqdmlsl);
        same(rows, "MUL", 0, 0b1000, each((s, z, d, n, m) -> n * m));
        lengthening(rows, "SMULL", 0, 0b1010, (s, z, d, n, m) -> sx(n, z) * sx(m, z));
        lengthening(rows, "UMULL", 1, 0b1010, (s, z, d, n, m) -> n * m);
        lengtheningBoth(rows, "SQDMULL", 0b1011, (s, z, d, n, m) -> LaneArithmetic.sqdmull(s, z, n, m));
        both(rows, "SQDMULH", "", 0, 0b1100, (s, z, d, n, m) -> LaneArithmetic.sqdmulh(s, z, n, m, false));
        both(rows, "SQRDMULH", "", 0, 0b1101, (s, z, d, n, m) -> LaneArithmetic.sqdmulh(s, z, n, m, true));
        both(rows, "SQRDMLAH", "FEAT_RDM", 1, 0b1101, (s, z, d, n, m) -> LaneArithmetic.sqrdmla(s, z, d, n, m, false));
        both(rows, "SQRDMLSH", "FEAT_RDM", 1, 0b1111, (s, z, d, n, m) -> LaneArithmetic.sqrdmla(s, z, d, n, m, true));
        dot(rows, "SDOT", "0", each((s, z, d, n, m) -> d + ThreeSame.dotS(n, m)));
        dot(rows, "UDOT", "1", each((s, z, d, n, m) -> d + ThreeSame.dotU(n, m)));
        return rows;
    }

    static String tail(int opcode) {
        return " zz l k mmmm " + Encoding.binary(opcode, 4) + " h 0 nnnnn ddddd";
    }

    /** 16-bit elements of V0..V15 or 32-bit elements. */
    private static boolean fields(Insn i) {
        Encoding.vector(i);
        i.b = i.bits(30, 1);
        if (i.a == 1) {
            i.rm &= 15;
            i.c = i.bits(11, 1) << 2 | i.bits(20, 2);
        } else {
            i.c = i.bits(11, 1) << 1 | i.bits(21, 1);
        }
        return i.a == 1 || i.a == 2;
    }

    private static void same(List<InstructionRow> rows, String name, int u, int opcode, HalfOp op) {
        rows.add(row(name + "_elt", "0Q" + u + "01111" + tail(opcode), ByElement::fields, Lanes.vectorByElement(op)));
    }

    private static void both(List<InstructionRow> rows, String name, String feature, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_elt", feature, "0Q" + u + "01111" + tail(opcode), ByElement::fields,
                Lanes.vectorByElement(each(op))));
        rows.add(row(name + "_elt_s", feature, "01" + u + "11111" + tail(opcode), ByElement::fields,
                Lanes.scalarByElement(op)));
    }

    private static void dot(List<InstructionRow> rows, String name, String u, HalfOp op) {
        Fields fields = ByElement::fields;
        rows.add(row(name + "_elt", "FEAT_DotProd", "0Q" + u + "01111 10 l k mmmm 1110 h 0 nnnnn ddddd", fields,
                Lanes.vectorByElement(op)));
    }

    private static void lengthening(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_elt", "0Q" + u + "01111" + tail(opcode), ByElement::fields, (cpu, i) -> {
            long m = LaneArithmetic.replicate(i.a, Lanes.get(cpu.v, i.rm, i.a, i.c));
            ThreeDifferent.lengthen(cpu, i, op, cpu.v[2 * i.rn + i.b], m);
        }));
    }

    private static void lengtheningBoth(List<InstructionRow> rows, String name, int opcode, LaneOp op) {
        lengthening(rows, name, 0, opcode, op);
        rows.add(row(name + "_elt_s", "01011111" + tail(opcode), ByElement::fields, (cpu, i) -> {
            long m = Lanes.get(cpu.v, i.rm, i.a, i.c);
            long d = Lanes.get(cpu.v, i.rd, i.a + 1, 0);
            long result = op.apply(cpu.s, i.a, d, Lanes.get(cpu.v, i.rn, i.a, 0), m);
            cpu.v[2 * i.rd] = result & Lanes.mask(i.a + 1);
            cpu.v[2 * i.rd + 1] = 0;
        }));
    }
}
