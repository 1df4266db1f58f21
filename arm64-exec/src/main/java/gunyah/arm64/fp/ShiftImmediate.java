package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.LaneArithmetic.shiftRightS;
import static gunyah.arm64.fp.LaneArithmetic.shiftRightU;
import static gunyah.arm64.fp.Lanes.sx;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.fp.Lanes.LaneOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Advanced SIMD shift by immediate and its scalar form on integers (Arm ARM C4.1.95). {@code a} is the element size
 * (the narrow one when two sizes meet), {@code c} the shift amount, {@code b} Q. The operations get the amount as
 * their third operand.
 */
final class ShiftImmediate {
    static final List<InstructionRow> ROWS = rows();

    private ShiftImmediate() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        right(rows, "SSHR", 0, 0b00000, (s, z, d, n, m) -> shiftRightS(sx(n, z), (int) m, false));
        right(rows, "USHR", 1, 0b00000, (s, z, d, n, m) -> shiftRightU(n, (int) m, false));
        right(rows, "SSRA", 0, 0b00010, (s, z, d, n, m) -> d + shiftRightS(sx(n, z), (int) m, false));
        right(rows, "USRA", 1, 0b00010, (s, z, d, n, m) -> d + shiftRightU(n, (int) m, false));
        right(rows, "SRSHR", 0, 0b00100, (s, z, d, n, m) -> shiftRightS(sx(n, z), (int) m, true));
        right(rows, "URSHR", 1, 0b00100, (s, z, d, n, m) -> shiftRightU(n, (int) m, true));
        right(rows, "SRSRA", 0, 0b00110, (s, z, d, n, m) -> d + shiftRightS(sx(n, z), (int) m, true));
        right(rows, "URSRA", 1, 0b00110, (s, z, d, n, m) -> d + shiftRightU(n, (int) m, true));
        right(rows, "SRI", 1, 0b01000, (s, z, d, n, m) -> {
            long moved = shiftRightU(Lanes.mask(z), (int) m, false);
            return d & ~moved | shiftRightU(n, (int) m, false);
        });
        left(rows, "SHL", 0, 0b01010, ShiftImmediate::leftScalar64, (s, z, d, n, m) -> n << m);
        left(rows, "SLI", 1, 0b01010, ShiftImmediate::leftScalar64, (s, z, d, n, m) -> d & (1L << m) - 1 | n << m);
        left(rows, "SQSHLU", 1, 0b01100, ShiftImmediate::leftScalar,
                (s, z, d, n, m) -> LaneArithmetic.sqshlu(s, z, n, (int) m));
        left(rows, "SQSHL", 0, 0b01110, ShiftImmediate::leftScalar,
                (s, z, d, n, m) -> LaneArithmetic.sqshl(s, z, n, (int) m, false));
        left(rows, "UQSHL", 1, 0b01110, ShiftImmediate::leftScalar,
                (s, z, d, n, m) -> LaneArithmetic.uqshl(s, z, n, (int) m, false));
        narrowing(rows);
        for (int u = 0; u < 2; u++) {
            LaneOp op = u == 0 ? (s, z, d, n, m) -> sx(n, z) << m : (s, z, d, n, m) -> n << m;
            rows.add(row(u == 0 ? "SSHLL" : "USHLL", "0Q" + u + "01111" + tail(0b10100),
                    i -> leftFields(i) && i.a != 3, (cpu, i) -> ThreeDifferent.lengthen(cpu, i, op,
                            cpu.v[2 * i.rn + i.b], LaneArithmetic.replicate(i.a, i.c))));
        }
        return rows;
    }

    private static void narrowing(List<InstructionRow> rows) {
        // what a shift across a wide element's border brings in lies above the narrow element
        rows.add(row("SHRN_v", "0Q001111" + tail(0b10000), ShiftImmediate::narrowFields,
                (cpu, i) -> TwoRegMisc.writePart(cpu, i, Lanes.evens(i.a, cpu.v[2 * i.rn] >>> i.c,
                        cpu.v[2 * i.rn + 1] >>> i.c))));
        bothNarrow(rows, "SQSHRUN", 1, 0b10000,
                (s, z, d, n, m) -> LaneArithmetic.satU(s, z, shiftRightS(sx(n, z + 1), (int) m, false)));
        vectorNarrow(rows, "RSHRN", 0, 0b10001, (s, z, d, n, m) -> shiftRightU(n, (int) m, true));
        bothNarrow(rows, "SQRSHRUN", 1, 0b10001,
                (s, z, d, n, m) -> LaneArithmetic.satU(s, z, shiftRightS(sx(n, z + 1), (int) m, true)));
        bothNarrow(rows, "SQSHRN", 0, 0b10010,
                (s, z, d, n, m) -> LaneArithmetic.satS(s, z, shiftRightS(sx(n, z + 1), (int) m, false)));
        bothNarrow(rows, "UQSHRN", 1, 0b10010,
                (s, z, d, n, m) -> LaneArithmetic.satUnsigned(s, z, shiftRightU(n, (int) m, false)));
        bothNarrow(rows, "SQRSHRN", 0, 0b10011,
                (s, z, d, n, m) -> LaneArithmetic.satS(s, z, shiftRightS(sx(n, z + 1), (int) m, true)));
        bothNarrow(rows, "UQRSHRN", 1, 0b10011,
                (s, z, d, n, m) -> LaneArithmetic.satUnsigned(s, z, shiftRightU(n, (int) m, true)));
    }

    private static String tail(int opcode) {
        return "0 hhhh iii " + Encoding.binary(opcode, 5) + " 1 nnnnn ddddd";
    }

    /** immh names the element size; immh:immb in {@code imm}. */
    private static boolean size(Insn i) {
        int immh = i.bits(19, 4);
        i.rd = i.bits(0, 5);
        i.rn = i.bits(5, 5);
        i.b = i.bits(30, 1);
        i.a = 31 - Integer.numberOfLeadingZeros(immh | 1);
        i.imm = i.bits(16, 7);
        return immh != 0;
    }

    /** Left shift: immh:immb - esize. */
    static boolean leftScalar(Insn i) {
        boolean allocated = size(i);
        i.c = (int) i.imm - (8 << i.a);
        return allocated;
    }

    private static boolean leftScalar64(Insn i) {
        return leftScalar(i) && i.a == 3;
    }

    private static boolean leftFields(Insn i) {
        return leftScalar(i) && (i.a != 3 || i.b != 0);
    }

    /** Right shift: 2 * esize - immh:immb. */
    static boolean rightScalar(Insn i) {
        boolean allocated = size(i);
        i.c = (16 << i.a) - (int) i.imm;
        return allocated;
    }

    static boolean rightVector(Insn i) {
        return rightScalar(i) && (i.a != 3 || i.b != 0);
    }

    private static boolean narrowFields(Insn i) {
        return rightScalar(i) && i.a != 3;
    }

    private static void right(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        shift(rows, name, u, opcode, ShiftImmediate::rightVector, i -> rightScalar(i) && i.a == 3, op);
    }

    private static void left(List<InstructionRow> rows, String name, int u, int opcode, Fields scalar, LaneOp op) {
        shift(rows, name, u, opcode, ShiftImmediate::leftFields, scalar, op);
    }

    private static void shift(List<InstructionRow> rows, String name, int u, int opcode, Fields vector, Fields scalar,
            LaneOp op) {
        String suffix = "_imm";
        rows.add(row(name + suffix + "_v", "0Q" + u + "01111" + tail(opcode), vector, (cpu, i) -> {
            long[] v = cpu.v;
            long low = half(cpu, i, op, v[2 * i.rd], v[2 * i.rn]);
            v[2 * i.rd + 1] = i.b == 0 ? 0 : half(cpu, i, op, v[2 * i.rd + 1], v[2 * i.rn + 1]);
            v[2 * i.rd] = low;
        }));
        rows.add(row(name + suffix + "_s", "01" + u + "11111" + tail(opcode), scalar, (cpu, i) -> {
            long mask = Lanes.mask(i.a);
            cpu.v[2 * i.rd] = op.apply(cpu.s, i.a, cpu.v[2 * i.rd] & mask, cpu.v[2 * i.rn] & mask, i.c) & mask;
            cpu.v[2 * i.rd + 1] = 0;
        }));
    }

    private static long half(Cpu cpu, Insn i, LaneOp op, long d, long n) {
        long mask = Lanes.mask(i.a);
        int width = 8 << i.a;
        long result = 0;
        for (int bit = 0; bit < 64; bit += width) {
            result |= (op.apply(cpu.s, i.a, d >>> bit & mask, n >>> bit & mask, i.c) & mask) << bit;
        }
        return result;
    }

    private static void vectorNarrow(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        rows.add(row(name + "_v", "0Q" + u + "01111" + tail(opcode), ShiftImmediate::narrowFields, (cpu, i) -> {
            long low = narrowHalf(cpu, i, op, cpu.v[2 * i.rn]);
            TwoRegMisc.writePart(cpu, i, low | narrowHalf(cpu, i, op, cpu.v[2 * i.rn + 1]) << 32);
        }));
    }

    private static void bothNarrow(List<InstructionRow> rows, String name, int u, int opcode, LaneOp op) {
        vectorNarrow(rows, name, u, opcode, op);
        rows.add(row(name + "_s", "01" + u + "11111" + tail(opcode), ShiftImmediate::narrowFields, (cpu, i) -> {
            long wide = Lanes.get(cpu.v, i.rn, i.a + 1, 0);
            cpu.v[2 * i.rd] = op.apply(cpu.s, i.a, 0, wide, i.c) & Lanes.mask(i.a);
            cpu.v[2 * i.rd + 1] = 0;
        }));
    }

    private static long narrowHalf(Cpu cpu, Insn i, LaneOp op, long n) {
        int width = 8 << i.a;
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            long wide = n >>> 2 * bit & Lanes.mask(i.a + 1);
            result |= (op.apply(cpu.s, i.a, 0, wide, i.c) & Lanes.mask(i.a)) << bit;
        }
        return result;
    }
}
