package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;
import java.util.function.LongUnaryOperator;

/** Cryptographic AES rows and the 64-bit polynomial product (Arm ARM C4.1.95; FIPS 197). */
final class CryptoAes {
    static final List<InstructionRow> ROWS = List.of(
            aes("AESE", "00100", round(CryptoHalves::aese)),
            aes("AESD", "00101", round(CryptoHalves::aesd)),
            aes("AESMC", "00110", columns(CryptoHalves::aesmc)),
            aes("AESIMC", "00111", columns(CryptoHalves::aesimc)),
            row("PMULL_v_1Q", "FEAT_PMULL", "0Q001110 11 1 mmmmm 1110 00 nnnnn ddddd", CryptoAes::fields, (cpu, i) -> {
                long n = cpu.v[2 * i.rn + i.b];
                long m = cpu.v[2 * i.rm + i.b];
                write(cpu, i, CryptoHalves.pmull(0, n, m), CryptoHalves.pmull(1, n, m));
            }));

    private CryptoAes() {
    }

    private static InstructionRow aes(String name, String opcode, Semantics semantics) {
        return row(name, "FEAT_AES", "01001110 00 10100 " + opcode + " 10 nnnnn ddddd", CryptoAes::fields, semantics);
    }

    /** One half of the result from all halves of the operands. */
    @FunctionalInterface
    private interface Half {
        long of(int half, long d0, long d1, long n0, long n1);
    }

    private static Semantics round(Half op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            int d = 2 * i.rd;
            int n = 2 * i.rn;
            write(cpu, i, op.of(0, v[d], v[d + 1], v[n], v[n + 1]), op.of(1, v[d], v[d + 1], v[n], v[n + 1]));
        };
    }

    /** Of an operation on each half by itself. */
    private static Semantics columns(LongUnaryOperator op) {
        return (cpu, i) -> write(cpu, i, op.applyAsLong(cpu.v[2 * i.rn]), op.applyAsLong(cpu.v[2 * i.rn + 1]));
    }

    private static boolean fields(Insn i) {
        Encoding.scalar(i);
        i.b = i.bits(30, 1);
        return true;
    }

    private static void write(Cpu cpu, Insn i, long low, long high) {
        cpu.v[2 * i.rd] = low;
        cpu.v[2 * i.rd + 1] = high;
    }
}
