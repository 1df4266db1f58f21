package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Encoding.typed;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.fp.Lanes.LaneOp;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * Scalar floating-point data processing (Arm ARM C4.1.96): one, two and three source, compare, conditional compare,
 * conditional select, immediate. {@code a} is 1 for half, 2 for single and 3 for double precision, {@code c} the
 * condition,
 * {@code imm} the constant or the flags of a conditional compare.
 */
final class ScalarFp {
    static final List<InstructionRow> ROWS = rows();

    private static final int CURRENT = -1;

    private ScalarFp() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        oneSource(rows);
        compares(rows);
        typed(rows, "FMOV_float_imm", "00011110", "1 iiiiiiii 100 00000 ddddd", ScalarFp::immediate,
                (cpu, i) -> write(cpu, i, i.imm));
        twoSource(rows, "FMUL", 0b0000, (s, z, d, n, m) -> FpArithmetic.mul(s, z, n, m));
        twoSource(rows, "FDIV", 0b0001, (s, z, d, n, m) -> FpArithmetic.div(s, z, n, m));
        twoSource(rows, "FADD", 0b0010, (s, z, d, n, m) -> FpArithmetic.add(s, z, n, m));
        twoSource(rows, "FSUB", 0b0011, (s, z, d, n, m) -> FpArithmetic.sub(s, z, n, m));
        twoSource(rows, "FMAX", 0b0100, (s, z, d, n, m) -> FpArithmetic.max(s, z, n, m));
        twoSource(rows, "FMIN", 0b0101, (s, z, d, n, m) -> FpArithmetic.min(s, z, n, m));
        twoSource(rows, "FMAXNM", 0b0110, (s, z, d, n, m) -> FpArithmetic.maxnm(s, z, n, m));
        twoSource(rows, "FMINNM", 0b0111, (s, z, d, n, m) -> FpArithmetic.minnm(s, z, n, m));
        twoSource(rows, "FNMUL", 0b1000, (s, z, d, n, m) -> FpArithmetic.neg(z, FpArithmetic.mul(s, z, n, m)));
        typed(rows, "FCSEL_float", "00011110", "1 mmmmm cccc 11 nnnnn ddddd", ScalarFp::conditional,
                (cpu, i) -> write(cpu, i, cpu.v[holds(cpu.s.nzcv, i.c) ? 2 * i.rn : 2 * i.rm] & Lanes.mask(i.a)));
        threeSource(rows, "FMADD", "0", "0", (s, z, c, n, m) -> FpArithmetic.fma(s, z, c, n, m));
        threeSource(rows, "FMSUB", "0", "1", (s, z, c, n, m) -> FpArithmetic.fma(s, z, c, FpArithmetic.neg(z, n), m));
        threeSource(rows, "FNMADD", "1", "0", (s, z, c, n, m) -> FpArithmetic.fma(s, z, FpArithmetic.neg(z, c),
                FpArithmetic.neg(z, n), m));
        threeSource(rows, "FNMSUB", "1", "1", (s, z, c, n, m) -> FpArithmetic.fma(s, z, FpArithmetic.neg(z, c), n, m));
        return rows;
    }

    private static void oneSource(List<InstructionRow> rows) {
        one(rows, "FMOV_float", 0b000000, (s, z, d, n, m) -> n);
        one(rows, "FABS_float", 0b000001, (s, z, d, n, m) -> FpArithmetic.abs(z, n));
        one(rows, "FNEG_float", 0b000010, (s, z, d, n, m) -> FpArithmetic.neg(z, n));
        one(rows, "FSQRT_float", 0b000011, (s, z, d, n, m) -> FpArithmetic.sqrt(s, z, n));
        for (int from = 1; from <= 3; from++) {
            for (int to = 1; to <= 3; to++) {
                if (from != to) {
                    convert(rows, from, to);
                }
            }
        }
        round(rows, "FRINTN", 0b001000, SoftFloat.TIE_EVEN, false);
        round(rows, "FRINTP", 0b001001, SoftFloat.TO_PLUS, false);
        round(rows, "FRINTM", 0b001010, SoftFloat.TO_MINUS, false);
        round(rows, "FRINTZ", 0b001011, SoftFloat.TO_ZERO, false);
        round(rows, "FRINTA", 0b001100, SoftFloat.TIE_AWAY, false);
        round(rows, "FRINTX", 0b001110, CURRENT, true);
        round(rows, "FRINTI", 0b001111, CURRENT, false);
        roundToSize(rows, "FRINT32Z", 0b010000, 32, SoftFloat.TO_ZERO);
        roundToSize(rows, "FRINT32X", 0b010001, 32, CURRENT);
        roundToSize(rows, "FRINT64Z", 0b010010, 64, SoftFloat.TO_ZERO);
        roundToSize(rows, "FRINT64X", 0b010011, 64, CURRENT);
    }

    private static void roundToSize(List<InstructionRow> rows, String name, int opcode, int bits, int mode) {
        rows.add(row(name + "_float", "FEAT_FRINTTS", "00011110 0z 1 " + Encoding.binary(opcode, 6)
                + " 10000 nnnnn ddddd", Encoding::scalarTyped, Lanes.scalar((s, z, d, n, m) -> FpConversion.roundToSize(
                        s, z, n, bits, mode == CURRENT ? SoftFloat.mode(s) : mode))));
    }

    private static void one(List<InstructionRow> rows, String name, int opcode, LaneOp op) {
        typed(rows, name, "00011110", "1 " + Encoding.binary(opcode, 6) + " 10000 nnnnn ddddd", Encoding::scalarTyped,
                Lanes.scalar(op));
    }

    private static void round(List<InstructionRow> rows, String name, int opcode, int mode, boolean exact) {
        one(rows, name + "_float", opcode, (s, z, d, n, m) -> FpConversion.roundToInteger(s, z, n,
                mode == CURRENT ? SoftFloat.mode(s) : mode, exact));
    }

    private static void convert(List<InstructionRow> rows, int from, int to) {
        String[] type = {"", "11", "00", "01"};
        String letters = " HSD";
        rows.add(row("FCVT_float_" + letters.charAt(to) + letters.charAt(from),
                "00011110 " + type[from] + " 1 0001" + type[to] + " 10000 nnnnn ddddd", Encoding::scalar,
                (cpu, i) -> write(cpu, i, FpConversion.convert(cpu.s, from, to, cpu.v[2 * i.rn] & Lanes.mask(from)))));
    }

    private static void compares(List<InstructionRow> rows) {
        for (int signalling = 0; signalling < 2; signalling++) {
            boolean all = signalling == 1;
            String name = all ? "FCMPE" : "FCMP";
            typed(rows, name + "_float", "00011110", "1 mmmmm 00 1000 nnnnn " + signalling + "0 000",
                    Encoding::scalarTyped, (cpu, i) -> cpu.s.nzcv = compare(cpu, i, source(cpu, i, i.rm), all));
            typed(rows, name + "_float_zero", "00011110", "1 kkkkk 00 1000 nnnnn " + signalling + "1 000",
                    Encoding::scalarTyped, (cpu, i) -> cpu.s.nzcv = compare(cpu, i, 0, all));
        }
        for (int signalling = 0; signalling < 2; signalling++) {
            boolean all = signalling == 1;
            typed(rows, all ? "FCCMPE_float" : "FCCMP_float", "00011110", "1 mmmmm cccc 01 nnnnn " + signalling
                    + " ffff", ScalarFp::conditional, (cpu, i) -> cpu.s.nzcv = holds(cpu.s.nzcv, i.c)
                            ? compare(cpu, i, source(cpu, i, i.rm), all) : (int) i.imm);
        }
    }

    private static int compare(Cpu cpu, Insn i, long second, boolean all) {
        return FpArithmetic.compare(cpu.s, i.a, source(cpu, i, i.rn), second, all);
    }

    private static void twoSource(List<InstructionRow> rows, String name, int opcode, LaneOp op) {
        typed(rows, name + "_float", "00011110", "1 mmmmm " + Encoding.binary(opcode, 4) + " 10 nnnnn ddddd",
                Encoding::scalarTyped, Lanes.scalar(op));
    }

    private static void threeSource(List<InstructionRow> rows, String name, String o1, String o0, LaneOp op) {
        typed(rows, name + "_float", "00011111", o1 + " mmmmm " + o0 + " aaaaa nnnnn ddddd", ScalarFp::threeFields,
                (cpu, i) -> write(cpu, i, op.apply(cpu.s, i.a, source(cpu, i, i.ra), source(cpu, i, i.rn),
                        source(cpu, i, i.rm))));
    }

    private static boolean threeFields(Insn i) {
        i.ra = i.bits(10, 5);
        return Encoding.scalarTyped(i);
    }

    private static boolean conditional(Insn i) {
        i.c = i.bits(12, 4);
        i.imm = (long) i.bits(0, 4) << 28;
        return Encoding.scalarTyped(i);
    }

    private static boolean immediate(Insn i) {
        Encoding.scalarTyped(i);
        i.imm = ModifiedImmediate.expand(i.bits(13, 8), i.a);
        return true;
    }

    private static long source(Cpu cpu, Insn i, int register) {
        return cpu.v[2 * register] & Lanes.mask(i.a);
    }

    private static void write(Cpu cpu, Insn i, long value) {
        cpu.v[2 * i.rd] = value;
        cpu.v[2 * i.rd + 1] = 0;
    }

    /** ConditionHolds. */
    private static boolean holds(int nzcv, int condition) {
        boolean n = (nzcv & CpuState.N) != 0;
        boolean z = (nzcv & CpuState.Z) != 0;
        boolean c = (nzcv & CpuState.C) != 0;
        boolean v = (nzcv & CpuState.V) != 0;
        boolean base = switch (condition >> 1) {
            case 0 -> z;
            case 1 -> c;
            case 2 -> n;
            case 3 -> v;
            case 4 -> c && !z;
            case 5 -> n == v;
            case 6 -> n == v && !z;
            default -> true;
        };
        return base != ((condition & 1) != 0 && condition != 15);
    }
}
