package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.state.CpuState;
import java.util.List;

/**
 * BFloat16 rows of FEAT_BF16 (Arm ARM C4.1.95, C4.1.96; BFDotAdd, BFMatMulAdd without FEAT_EBF16). The dot products
 * know no FPCR: they round to odd, flush denormals, give the default NaN and set no flag. {@code b} Q, {@code c} the
 * element of Vm or -1 for each its own.
 */
final class BFloat {
    private static final String BF16 = "FEAT_BF16";
    private static final int SINGLE = 2;
    private static final int DOT_FPCR = SoftFloat.FZ | SoftFloat.DN | SoftFloat.ODD;

    static final List<InstructionRow> ROWS = List.of(
            row("BFDOT_v", BF16, "0Q101110 01 0 mmmmm 11111 1 nnnnn ddddd", BFloat::vector, BFloat::dot),
            row("BFDOT_elt", BF16, "0Q001111 01 l mmmmm 1111 h 0 nnnnn ddddd", BFloat::pairElement, BFloat::dot),
            row("BFMMLA", BF16, "01101110 01 0 mmmmm 11101 1 nnnnn ddddd", BFloat::vector, BFloat::matrix),
            row("BFMLAL_v", BF16, "0Q101110 11 0 mmmmm 11111 1 nnnnn ddddd", BFloat::vector, BFloat::multiplyAddLong),
            row("BFMLAL_elt", BF16, "0Q001111 11 l k mmmm 1111 h 0 nnnnn ddddd", BFloat::element,
                    BFloat::multiplyAddLong),
            row("BFCVT", BF16, "00011110 01 1 000110 10000 nnnnn ddddd", BFloat::vector, (cpu, i) -> {
                cpu.v[2 * i.rd] = convert(cpu, cpu.v[2 * i.rn] & 0xFFFF_FFFFL);
                cpu.v[2 * i.rd + 1] = 0;
            }),
            row("BFCVTN", BF16, "0Q001110 10 10000 10110 10 nnnnn ddddd", BFloat::vector, BFloat::convertNarrow));

    private BFloat() {
    }

    private static boolean vector(Insn i) {
        Encoding.vector(i);
        i.c = -1;
        return true;
    }

    /** One of the four pairs of Vm. */
    private static boolean pairElement(Insn i) {
        Encoding.vector(i);
        i.c = i.bits(11, 1) << 1 | i.bits(21, 1);
        return true;
    }

    /** One of the eight elements of V0..V15. */
    private static boolean element(Insn i) {
        Encoding.vector(i);
        i.rm &= 15;
        i.c = i.bits(11, 1) << 2 | i.bits(20, 2);
        return true;
    }

    private static long convert(Cpu cpu, long single) {
        return FpConversion.convert(cpu.s, SINGLE, FpFormat.BFLOAT, single);
    }

    private static void convertNarrow(Cpu cpu, Insn i) {
        long result = 0;
        for (int e = 0; e < 4; e++) {
            result |= convert(cpu, Lanes.get(cpu.v, i.rn, SINGLE, e)) << 16 * e;
        }
        TwoRegMisc.writePart(cpu, i, result);
    }

    private static void multiplyAddLong(Cpu cpu, Insn i) {
        long element = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, 1, i.c) << 16;
        for (int e = 0; e < 4; e++) {
            long n = Lanes.get(cpu.v, i.rn, 1, 2 * e + i.b) << 16;
            long m = i.c < 0 ? Lanes.get(cpu.v, i.rm, 1, 2 * e + i.b) << 16 : element;
            long d = Lanes.get(cpu.v, i.rd, SINGLE, e);
            Lanes.set(cpu.v, i.rd, SINGLE, e, FpArithmetic.fma(cpu.s, SINGLE, d, n, m));
        }
    }

    private static void dot(Cpu cpu, Insn i) {
        long pair = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, SINGLE, i.c);
        for (int e = 0; e < 2 << i.b; e++) {
            long n = Lanes.get(cpu.v, i.rn, SINGLE, e);
            long m = i.c < 0 ? Lanes.get(cpu.v, i.rm, SINGLE, e) : pair;
            Lanes.set(cpu.v, i.rd, SINGLE, e, dotAdd(cpu.s, Lanes.get(cpu.v, i.rd, SINGLE, e), n, m));
        }
        if (i.b == 0) {
            cpu.v[2 * i.rd + 1] = 0;
        }
    }

    private static void matrix(Cpu cpu, Insn i) {
        long low = matrixRow(cpu, i, cpu.v[2 * i.rd], cpu.v[2 * i.rn]);
        cpu.v[2 * i.rd + 1] = matrixRow(cpu, i, cpu.v[2 * i.rd + 1], cpu.v[2 * i.rn + 1]);
        cpu.v[2 * i.rd] = low;
    }

    private static long matrixRow(Cpu cpu, Insn i, long d, long n) {
        long result = 0;
        for (int column = 0; column < 2; column++) {
            long m = cpu.v[2 * i.rm + column];
            long sum = dotAdd(cpu.s, d >>> 32 * column & 0xFFFF_FFFFL, n & 0xFFFF_FFFFL, m & 0xFFFF_FFFFL);
            result |= dotAdd(cpu.s, sum, n >>> 32, m >>> 32) << 32 * column;
        }
        return result;
    }

    /** {@code d + (n0 * m0 + n1 * m1)} on two BFloat16 numbers each in the words {@code n} and {@code m}. */
    private static long dotAdd(CpuState s, long d, long n, long m) {
        int fpcr = s.fpcr;
        int fpsr = s.fpsr;
        s.fpcr = DOT_FPCR;
        long low = SoftFloat.mul(s, SINGLE, n << 16 & 0xFFFF_0000L, m << 16 & 0xFFFF_0000L, false);
        long high = SoftFloat.mul(s, SINGLE, n & 0xFFFF_0000L, m & 0xFFFF_0000L, false);
        long result = SoftFloat.add(s, SINGLE, d, SoftFloat.add(s, SINGLE, low, high));
        s.fpcr = fpcr;
        s.fpsr = fpsr;
        return result;
    }
}
