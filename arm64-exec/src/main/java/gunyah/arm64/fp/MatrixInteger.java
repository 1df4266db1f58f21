package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/**
 * Products of 8-bit integers of FEAT_I8MM (Arm ARM C4.1.95): 2x8 by 8x2 matrices and dot products of mixed sign.
 * {@code b} Q, {@code c} the group of four in Vm or -1 for each its own.
 */
final class MatrixInteger {
    private static final String I8MM = "FEAT_I8MM";

    static final List<InstructionRow> ROWS = List.of(
            row("SMMLA", I8MM, "01001110 10 0 mmmmm 10100 1 nnnnn ddddd", MatrixInteger::vector, matrix(true, true)),
            row("UMMLA", I8MM, "01101110 10 0 mmmmm 10100 1 nnnnn ddddd", MatrixInteger::vector, matrix(false, false)),
            row("USMMLA", I8MM, "01001110 10 0 mmmmm 10101 1 nnnnn ddddd", MatrixInteger::vector, matrix(false, true)),
            row("USDOT_v", I8MM, "0Q001110 10 0 mmmmm 10011 1 nnnnn ddddd", MatrixInteger::vector, dot(false, true)),
            row("USDOT_elt", I8MM, "0Q001111 10 l mmmmm 1111 h 0 nnnnn ddddd", MatrixInteger::element,
                    dot(false, true)),
            row("SUDOT_elt", I8MM, "0Q001111 00 l mmmmm 1111 h 0 nnnnn ddddd", MatrixInteger::element,
                    dot(true, false)));

    private MatrixInteger() {
    }

    private static boolean vector(Insn i) {
        Encoding.vector(i);
        i.c = -1;
        return true;
    }

    private static boolean element(Insn i) {
        Encoding.vector(i);
        i.c = i.bits(11, 1) << 1 | i.bits(21, 1);
        return true;
    }

    private static long sum(long n, long m, int bytes, boolean signedN, boolean signedM) {
        long sum = 0;
        for (int bit = 0; bit < 8 * bytes; bit += 8) {
            long left = signedN ? (byte) (n >>> bit) : n >>> bit & 0xFF;
            long right = signedM ? (byte) (m >>> bit) : m >>> bit & 0xFF;
            sum += left * right;
        }
        return sum;
    }

    private static Semantics dot(boolean signedN, boolean signedM) {
        return (cpu, i) -> {
            long group = i.c < 0 ? 0 : Lanes.get(cpu.v, i.rm, 2, i.c);
            for (int e = 0; e < 2 << i.b; e++) {
                long m = i.c < 0 ? Lanes.get(cpu.v, i.rm, 2, e) : group;
                long product = sum(Lanes.get(cpu.v, i.rn, 2, e), m, 4, signedN, signedM);
                Lanes.set(cpu.v, i.rd, 2, e, Lanes.get(cpu.v, i.rd, 2, e) + product);
            }
            if (i.b == 0) {
                cpu.v[2 * i.rd + 1] = 0;
            }
        };
    }

    private static Semantics matrix(boolean signedN, boolean signedM) {
        return (cpu, i) -> {
            long low = matrixRow(cpu, i, cpu.v[2 * i.rd], cpu.v[2 * i.rn], signedN, signedM);
            cpu.v[2 * i.rd + 1] = matrixRow(cpu, i, cpu.v[2 * i.rd + 1], cpu.v[2 * i.rn + 1], signedN, signedM);
            cpu.v[2 * i.rd] = low;
        };
    }

    private static long matrixRow(Cpu cpu, Insn i, long d, long n, boolean signedN, boolean signedM) {
        long first = d + sum(n, cpu.v[2 * i.rm], 8, signedN, signedM);
        long second = (d >>> 32) + sum(n, cpu.v[2 * i.rm + 1], 8, signedN, signedM);
        return first & 0xFFFF_FFFFL | second << 32;
    }
}
