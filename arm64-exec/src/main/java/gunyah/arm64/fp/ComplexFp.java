package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import java.util.ArrayList;
import java.util.List;

/**
 * Complex number arithmetic of FEAT_FCMA (Arm ARM C4.1.95, three same extra and by element): an even element is a real
 * part, the odd one above it the imaginary part. {@code a} the element size, {@code b} Q, {@code imm} the rotation in
 * quarter turns, {@code c} the number of the pair in Vm or -1 for each its own.
 */
final class ComplexFp {
    private static final String FCMA = "FEAT_FCMA";
    private static final String FCMA_HALF = "FEAT_FCMA&FEAT_FP16";

    static final List<InstructionRow> ROWS = rows();

    private ComplexFp() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (String size : List.of("01", "1z")) {
            boolean half = size.equals("01");
            String feature = half ? FCMA_HALF : FCMA;
            String suffix = half ? "_v_h" : "_v";
            rows.add(row("FCADD" + suffix, feature, "0Q101110 " + size + " 0 mmmmm 111 r 01 nnnnn ddddd",
                    ComplexFp::addFields, ComplexFp::add));
            rows.add(row("FCMLA" + suffix, feature, "0Q101110 " + size + " 0 mmmmm 110 rr 1 nnnnn ddddd",
                    ComplexFp::multiplyFields, ComplexFp::multiplyAdd));
        }
        rows.add(row("FCMLA_elt_h", FCMA_HALF, "0Q101111 01 l mmmmm 0 rr 1 h 0 nnnnn ddddd", ComplexFp::elementFields,
                ComplexFp::multiplyAdd));
        rows.add(row("FCMLA_elt", FCMA, "0Q101111 10 l mmmmm 0 rr 1 h 0 nnnnn ddddd", ComplexFp::elementFields,
                ComplexFp::multiplyAdd));
        return rows;
    }

    private static boolean addFields(Insn i) {
        i.imm = 1 + 2 * i.bits(12, 1);
        return Encoding.vector(i);
    }

    private static boolean multiplyFields(Insn i) {
        i.imm = i.bits(11, 2);
        i.c = -1;
        return Encoding.vector(i);
    }

    private static boolean elementFields(Insn i) {
        Encoding.vector(i);
        i.imm = i.bits(13, 2);
        boolean high = i.bits(11, 1) == 1;
        boolean low = i.bits(21, 1) == 1;
        i.c = i.a == 1 ? i.bits(11, 1) << 1 | i.bits(21, 1) : i.bits(11, 1);
        return i.a == 1 ? !high || i.b == 1 : !low && i.b == 1;
    }

    private static void add(Cpu cpu, Insn i) {
        for (int e = 0; e < 8 << i.b >> i.a; e += 2) {
            long nReal = Lanes.get(cpu.v, i.rn, i.a, e);
            long nImaginary = Lanes.get(cpu.v, i.rn, i.a, e + 1);
            long mReal = Lanes.get(cpu.v, i.rm, i.a, e);
            long mImaginary = Lanes.get(cpu.v, i.rm, i.a, e + 1);
            long toReal = i.imm == 1 ? FpArithmetic.neg(i.a, mImaginary) : mImaginary;
            long toImaginary = i.imm == 1 ? mReal : FpArithmetic.neg(i.a, mReal);
            Lanes.set(cpu.v, i.rd, i.a, e, FpArithmetic.add(cpu.s, i.a, nReal, toReal));
            Lanes.set(cpu.v, i.rd, i.a, e + 1, FpArithmetic.add(cpu.s, i.a, nImaginary, toImaginary));
        }
        clearUpper(cpu, i);
    }

    private static void multiplyAdd(Cpu cpu, Insn i) {
        // Vd may be Vm, of which one pair serves all
        long pairReal = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, i.a, 2 * i.c);
        long pairImaginary = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, i.a, 2 * i.c + 1);
        int odd = (int) i.imm & 1;
        for (int e = 0; e < 8 << i.b >> i.a; e += 2) {
            long mReal = i.c < 0 ? Lanes.get(cpu.v, i.rm, i.a, e) : pairReal;
            long mImaginary = i.c < 0 ? Lanes.get(cpu.v, i.rm, i.a, e + 1) : pairImaginary;
            long n = Lanes.get(cpu.v, i.rn, i.a, e + odd);
            long toReal = odd == 0 ? mReal : mImaginary;
            long toImaginary = odd == 0 ? mImaginary : mReal;
            if (i.imm == 1 || i.imm == 2) {
                toReal = FpArithmetic.neg(i.a, toReal);
            }
            if (i.imm >= 2) {
                toImaginary = FpArithmetic.neg(i.a, toImaginary);
            }
            accumulate(cpu, i, e, n, toReal);
            accumulate(cpu, i, e + 1, n, toImaginary);
        }
        clearUpper(cpu, i);
    }

    private static void accumulate(Cpu cpu, Insn i, int e, long n, long m) {
        long d = Lanes.get(cpu.v, i.rd, i.a, e);
        Lanes.set(cpu.v, i.rd, i.a, e, FpArithmetic.fma(cpu.s, i.a, d, n, m));
    }

    private static void clearUpper(Cpu cpu, Insn i) {
        if (i.b == 0) {
            cpu.v[2 * i.rd + 1] = 0;
        }
    }
}
