package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import java.util.ArrayList;
import java.util.List;

/**
 * FEAT_FHM: products of half-precision elements added to single-precision ones, rounded once (Arm ARM C4.1.95;
 * FPMulAddH). {@code b} Q, {@code c} the element of Vm or -1 for each its own, {@code a} 1 for the upper half of the
 * sources, {@code imm} 1 to subtract.
 */
final class WideningFp {
    static final List<InstructionRow> ROWS = rows();

    private static final int SINGLE = 2;

    private WideningFp() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int subtract = 0; subtract < 2; subtract++) {
            for (int upper = 0; upper < 2; upper++) {
                String name = (subtract == 0 ? "FMLAL" : "FMLSL") + (upper == 0 ? "" : "2");
                rows.add(row(name + "_v", "FEAT_FHM", "0Q" + upper + "01110 " + subtract + "01 mmmmm 11" + (1 - upper)
                        + "01 1 nnnnn ddddd", fields(subtract, upper, false), WideningFp::multiplyAdd));
                rows.add(row(name + "_elt", "FEAT_FHM", "0Q" + upper + "01111 10 l k mmmm " + upper + subtract
                        + "00 h 0 nnnnn ddddd", fields(subtract, upper, true), WideningFp::multiplyAdd));
            }
        }
        return rows;
    }

    private static Fields fields(int subtract, int upper, boolean element) {
        return i -> {
            Encoding.vector(i);
            i.a = upper;
            i.imm = subtract;
            i.c = -1;
            if (element) {
                i.c = i.bits(11, 1) << 2 | i.bits(20, 2);
                i.rm &= 15;
            }
            return true;
        };
    }

    private static void multiplyAdd(Cpu cpu, Insn i) {
        int count = 2 << i.b;
        int first = i.a * count;
        long pair = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, 1, i.c);
        long n = half(cpu, i.rn, i.b, i.a);
        long m = half(cpu, i.rm, i.b, i.a);
        for (int e = 0; e < count; e++) {
            long left = n >>> 16 * e & 0xFFFF;
            long right = i.c < 0 ? m >>> 16 * e & 0xFFFF : pair;
            long d = Lanes.get(cpu.v, i.rd, SINGLE, e);
            Lanes.set(cpu.v, i.rd, SINGLE, e, SoftFloat.fma(cpu.s, SINGLE, d, widened(cpu, left ^ i.imm << 15),
                    widened(cpu, right)));
        }
        if (i.b == 0) {
            cpu.v[2 * i.rd + 1] = 0;
        }
    }

    /** The half-precision elements of one part: the lower or upper 32 bits, with Q 64. */
    private static long half(Cpu cpu, int register, int q, int upper) {
        return q == 1 ? cpu.v[2 * register + upper] : cpu.v[2 * register] >>> 32 * upper;
    }

    /** Exactly, without any flag, a signalling NaN staying one; FZ16 flushes. */
    private static long widened(Cpu cpu, long half) {
        long x = SoftFloat.flush(cpu.s, 1, half);
        long sign = FpFormat.isNegative(1, x) ? FpFormat.sign(SINGLE) : 0;
        if (FpFormat.isZero(1, x)) {
            return sign;
        }
        if (FpFormat.exponentField(1, x) == FpFormat.exponentMask(1)) {
            return sign | FpFormat.infinity(SINGLE) | FpFormat.fraction(1, x) << 13;
        }
        return sign | (long) (FpFormat.exponent(1, x) + FpFormat.bias(SINGLE)) << 23
                | FpFormat.significand(1, x) << 1 >>> 41;
    }
}
