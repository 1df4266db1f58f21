package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.LaneArithmetic.abdS;
import static gunyah.arm64.fp.LaneArithmetic.abdU;
import static gunyah.arm64.fp.LaneArithmetic.shiftS;
import static gunyah.arm64.fp.LaneArithmetic.shiftU;
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
 * Advanced SIMD three same and scalar three same on integers, with the FEAT_RDM and FEAT_DotProd members of the three
 * same extra group (Arm ARM C4.1.95). Vd, Vn, Vm; {@code a} element size, {@code b} Q.
 */
final class ThreeSame {
    static final List<InstructionRow> ROWS = rows();

    private ThreeSame() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        arithmetic(rows);
        logical(rows);
        compares(rows);
        shifts(rows);
        extra(rows);
        return rows;
    }

    private static void arithmetic(List<InstructionRow> rows) {
        vector(rows, "SHADD", 0, 0b00000, Encoding::vectorUpTo32, each((s, z, d, n, m) -> sx(n, z) + sx(m, z) >> 1));
        vector(rows, "UHADD", 1, 0b00000, Encoding::vectorUpTo32, each((s, z, d, n, m) -> n + m >> 1));
        both(rows, "SQADD", 0, 0b00001, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.sqadd(s, z, n, m));
        both(rows, "UQADD", 1, 0b00001, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.uqadd(s, z, n, m));
        vector(rows, "SRHADD", 0, 0b00010, Encoding::vectorUpTo32,
                each((s, z, d, n, m) -> sx(n, z) + sx(m, z) + 1 >> 1));
        vector(rows, "URHADD", 1, 0b00010, Encoding::vectorUpTo32, each((s, z, d, n, m) -> n + m + 1 >> 1));
        vector(rows, "SHSUB", 0, 0b00100, Encoding::vectorUpTo32, each((s, z, d, n, m) -> sx(n, z) - sx(m, z) >> 1));
        vector(rows, "UHSUB", 1, 0b00100, Encoding::vectorUpTo32, each((s, z, d, n, m) -> n - m >> 1));
        both(rows, "SQSUB", 0, 0b00101, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.sqsub(s, z, n, m));
        both(rows, "UQSUB", 1, 0b00101, Encoding::scalar, (s, z, d, n, m) -> LaneArithmetic.uqsub(s, z, n, m));
        HalfOp smax = (s, z, d, n, m) -> LaneArithmetic.maxS(z, n, m);
        HalfOp umax = (s, z, d, n, m) -> LaneArithmetic.maxU(z, n, m);
        HalfOp smin = (s, z, d, n, m) -> LaneArithmetic.minS(z, n, m);
        HalfOp umin = (s, z, d, n, m) -> LaneArithmetic.minU(z, n, m);
        vector(rows, "SMAX", 0, 0b01100, Encoding::vectorUpTo32, smax);
        vector(rows, "UMAX", 1, 0b01100, Encoding::vectorUpTo32, umax);
        vector(rows, "SMIN", 0, 0b01101, Encoding::vectorUpTo32, smin);
        vector(rows, "UMIN", 1, 0b01101, Encoding::vectorUpTo32, umin);
        vector(rows, "SABD", 0, 0b01110, Encoding::vectorUpTo32, each((s, z, d, n, m) -> abdS(z, n, m)));
        vector(rows, "UABD", 1, 0b01110, Encoding::vectorUpTo32, each((s, z, d, n, m) -> abdU(n, m)));
        vector(rows, "SABA", 0, 0b01111, Encoding::vectorUpTo32, each((s, z, d, n, m) -> d + abdS(z, n, m)));
        vector(rows, "UABA", 1, 0b01111, Encoding::vectorUpTo32, each((s, z, d, n, m) -> d + abdU(n, m)));
        wide(rows, "ADD", 0, 0b10000, (s, z, d, n, m) -> LaneArithmetic.add(z, n, m));
        wide(rows, "SUB", 1, 0b10000, (s, z, d, n, m) -> LaneArithmetic.sub(z, n, m));
        vector(rows, "MLA", 0, 0b10010, Encoding::vectorUpTo32, each((s, z, d, n, m) -> d + n * m));
        vector(rows, "MLS", 1, 0b10010, Encoding::vectorUpTo32, each((s, z, d, n, m) -> d - n * m));
        vector(rows, "MUL", 0, 0b10011, Encoding::vectorUpTo32, each((s, z, d, n, m) -> n * m));
        vector(rows, "PMUL", 1, 0b10011, i -> Encoding.vector(i) && i.a == 0,
                each((s, z, d, n, m) -> LaneArithmetic.pmul8(n, m)));
        pairwise(rows, "SMAXP", 0, 0b10100, Encoding::vectorUpTo32, smax);
        pairwise(rows, "UMAXP", 1, 0b10100, Encoding::vectorUpTo32, umax);
        pairwise(rows, "SMINP", 0, 0b10101, Encoding::vectorUpTo32, smin);
        pairwise(rows, "UMINP", 1, 0b10101, Encoding::vectorUpTo32, umin);
        doublingHigh(rows, "SQDMULH", 0, (s, z, d, n, m) -> LaneArithmetic.sqdmulh(s, z, n, m, false));
        doublingHigh(rows, "SQRDMULH", 1, (s, z, d, n, m) -> LaneArithmetic.sqdmulh(s, z, n, m, true));
        pairwise(rows, "ADDP", 0, 0b10111, Encoding::vector, (s, z, d, n, m) -> LaneArithmetic.add(z, n, m));
    }

    private static void logical(List<InstructionRow> rows) {
        logical(rows, "AND", "0", "00", (s, z, d, n, m) -> n & m);
        logical(rows, "BIC", "0", "01", (s, z, d, n, m) -> n & ~m);
        logical(rows, "ORR", "0", "10", (s, z, d, n, m) -> n | m);
        logical(rows, "ORN", "0", "11", (s, z, d, n, m) -> n | ~m);
        logical(rows, "EOR", "1", "00", (s, z, d, n, m) -> n ^ m);
        logical(rows, "BSL", "1", "01", (s, z, d, n, m) -> m ^ (m ^ n) & d);
        logical(rows, "BIT", "1", "10", (s, z, d, n, m) -> d ^ (d ^ n) & m);
        logical(rows, "BIF", "1", "11", (s, z, d, n, m) -> d ^ (d ^ n) & ~m);
    }

    private static void compares(List<InstructionRow> rows) {
        wide(rows, "CMGT", 0, 0b00110, (s, z, d, n, m) -> ~LaneArithmetic.greaterEqual(z, m, n));
        wide(rows, "CMHI", 1, 0b00110, (s, z, d, n, m) -> ~LaneArithmetic.higherSame(z, m, n));
        wide(rows, "CMGE", 0, 0b00111, (s, z, d, n, m) -> LaneArithmetic.greaterEqual(z, n, m));
        wide(rows, "CMHS", 1, 0b00111, (s, z, d, n, m) -> LaneArithmetic.higherSame(z, n, m));
        wide(rows, "CMTST", 0, 0b10001, (s, z, d, n, m) -> ~LaneArithmetic.isZero(z, n & m));
        wide(rows, "CMEQ", 1, 0b10001, (s, z, d, n, m) -> LaneArithmetic.isZero(z, n ^ m));
    }

    private static void shifts(List<InstructionRow> rows) {
        both(rows, "SSHL", 0, 0b01000, Encoding::scalar64, (s, z, d, n, m) -> shiftS(z, n, m, false));
        both(rows, "USHL", 1, 0b01000, Encoding::scalar64, (s, z, d, n, m) -> shiftU(z, n, m, false));
        both(rows, "SQSHL", 0, 0b01001, Encoding::scalar,
                (s, z, d, n, m) -> LaneArithmetic.sqshl(s, z, n, (byte) m, false));
        both(rows, "UQSHL", 1, 0b01001, Encoding::scalar,
                (s, z, d, n, m) -> LaneArithmetic.uqshl(s, z, n, (byte) m, false));
        both(rows, "SRSHL", 0, 0b01010, Encoding::scalar64, (s, z, d, n, m) -> shiftS(z, n, m, true));
        both(rows, "URSHL", 1, 0b01010, Encoding::scalar64, (s, z, d, n, m) -> shiftU(z, n, m, true));
        both(rows, "SQRSHL", 0, 0b01011, Encoding::scalar,
                (s, z, d, n, m) -> LaneArithmetic.sqshl(s, z, n, (byte) m, true));
        both(rows, "UQRSHL", 1, 0b01011, Encoding::scalar,
                (s, z, d, n, m) -> LaneArithmetic.uqshl(s, z, n, (byte) m, true));
    }

    private static void extra(List<InstructionRow> rows) {
        LaneOp mlah = (s, z, d, n, m) -> LaneArithmetic.sqrdmla(s, z, d, n, m, false);
        LaneOp mlsh = (s, z, d, n, m) -> LaneArithmetic.sqrdmla(s, z, d, n, m, true);
        rows.add(row("SQRDMLAH_v", "FEAT_RDM", "0Q101110 zz 0 mmmmm 100001 nnnnn ddddd", Encoding::vector16And32,
                Lanes.vector(each(mlah))));
        rows.add(row("SQRDMLAH_s", "FEAT_RDM", "01111110 zz 0 mmmmm 100001 nnnnn ddddd", Encoding::scalar16And32,
                Lanes.scalar(mlah)));
        rows.add(row("SQRDMLSH_v", "FEAT_RDM", "0Q101110 zz 0 mmmmm 100011 nnnnn ddddd", Encoding::vector16And32,
                Lanes.vector(each(mlsh))));
        rows.add(row("SQRDMLSH_s", "FEAT_RDM", "01111110 zz 0 mmmmm 100011 nnnnn ddddd", Encoding::scalar16And32,
                Lanes.scalar(mlsh)));
        rows.add(row("SDOT_v", "FEAT_DotProd", "0Q001110 10 0 mmmmm 100101 nnnnn ddddd", Encoding::vector,
                Lanes.vector(each((s, z, d, n, m) -> d + dotS(n, m)))));
        rows.add(row("UDOT_v", "FEAT_DotProd", "0Q101110 10 0 mmmmm 100101 nnnnn ddddd", Encoding::vector,
                Lanes.vector(each((s, z, d, n, m) -> d + dotU(n, m)))));
    }

    /** Sum of the products of four signed bytes. */
    static long dotS(long n, long m) {
        long sum = 0;
        for (int bit = 0; bit < 32; bit += 8) {
            sum += (byte) (n >>> bit) * (byte) (m >>> bit);
        }
        return sum;
    }

    /** Sum of the products of four unsigned bytes. */
    static long dotU(long n, long m) {
        long sum = 0;
        for (int bit = 0; bit < 32; bit += 8) {
            sum += (n >>> bit & 0xFF) * (m >>> bit & 0xFF);
        }
        return sum;
    }

    private static String tail(int opcode) {
        return " zz 1 mmmmm " + Encoding.binary(opcode, 5) + " 1 nnnnn ddddd";
    }

    private static void vector(List<InstructionRow> rows, String name, int u, int opcode, Fields fields, HalfOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(opcode), fields, Lanes.vector(op)));
    }

    private static void pairwise(List<InstructionRow> rows, String name, int u, int opcode, Fields fields, HalfOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110" + tail(opcode), fields, Lanes.pairwise(op)));
    }

    /** Vector form of all sizes, and scalar form. */
    private static void both(List<InstructionRow> rows, String name, int u, int opcode, Fields scalar, LaneOp op) {
        vector(rows, name, u, opcode, Encoding::vector, each(op));
        rows.add(row(name + "_s", "01" + u + "11110" + tail(opcode), scalar, Lanes.scalar(op)));
    }

    private static void doublingHigh(List<InstructionRow> rows, String name, int u, LaneOp op) {
        vector(rows, name, u, 0b10110, Encoding::vector16And32, each(op));
        rows.add(row(name + "_s", "01" + u + "11110" + tail(0b10110), Encoding::scalar16And32, Lanes.scalar(op)));
    }

    /** An operation done on whole halves, whose scalar form is 64-bit only. */
    private static void wide(List<InstructionRow> rows, String name, int u, int opcode, HalfOp op) {
        vector(rows, name, u, opcode, Encoding::vector, op);
        rows.add(row(name + "_s", "01" + u + "11110" + tail(opcode), Encoding::scalar64, Lanes.scalar(op::apply)));
    }

    private static void logical(List<InstructionRow> rows, String name, String u, String size, HalfOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01110 " + size + " 1 mmmmm 00011 1 nnnnn ddddd", ThreeSame::logicalFields,
                Lanes.vector(op)));
    }

    private static boolean logicalFields(Insn i) {
        Encoding.vector(i);
        i.a = 3;
        return true;
    }
}
