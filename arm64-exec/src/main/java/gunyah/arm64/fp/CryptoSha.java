package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static java.lang.Integer.rotateLeft;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/** Cryptographic three and two-register SHA-1 and SHA-256 rows (Arm ARM C4.1.95; FIPS 180-4). */
final class CryptoSha {
    static final List<InstructionRow> ROWS = List.of(
            three("SHA1C", "FEAT_SHA1", "000", (cpu, i) -> sha1(cpu, i, (b, c, d) -> d ^ b & (c ^ d))),
            three("SHA1P", "FEAT_SHA1", "001", (cpu, i) -> sha1(cpu, i, (b, c, d) -> b ^ c ^ d)),
            three("SHA1M", "FEAT_SHA1", "010", (cpu, i) -> sha1(cpu, i, CryptoHalves::majority)),
            three("SHA1SU0", "FEAT_SHA1", "011", CryptoSha::sha1Schedule0),
            three("SHA256H", "FEAT_SHA256", "100", sha256(CryptoHalves::sha256h)),
            three("SHA256H2", "FEAT_SHA256", "101", sha256(CryptoHalves::sha256h2)),
            three("SHA256SU1", "FEAT_SHA256", "110", sha256(CryptoHalves::sha256su1)),
            two("SHA1H", "FEAT_SHA1", "00000", CryptoSha::sha1Rotate),
            two("SHA1SU1", "FEAT_SHA1", "00001", CryptoSha::sha1Schedule1),
            two("SHA256SU0", "FEAT_SHA256", "00010", sha256(CryptoSha::schedule0)));

    private CryptoSha() {
    }

    /** The function of three words that differs between the SHA-1 rounds. */
    @FunctionalInterface
    private interface RoundFunction {
        int apply(int b, int c, int d);
    }

    private static InstructionRow three(String name, String feature, String opcode, Semantics semantics) {
        return row(name, feature, "01011110 000 mmmmm 0 " + opcode + " 00 nnnnn ddddd", Encoding::scalar, semantics);
    }

    private static InstructionRow two(String name, String feature, String opcode, Semantics semantics) {
        return row(name, feature, "01011110 00 10100 " + opcode + " 10 nnnnn ddddd", Encoding::scalar, semantics);
    }

    private static int word(Cpu cpu, int register, int index) {
        return (int) (cpu.v[2 * register + (index >> 1)] >>> 32 * (index & 1));
    }

    private static void write(Cpu cpu, Insn i, int w0, int w1, int w2, int w3) {
        cpu.v[2 * i.rd] = w0 & 0xFFFF_FFFFL | (long) w1 << 32;
        cpu.v[2 * i.rd + 1] = w2 & 0xFFFF_FFFFL | (long) w3 << 32;
    }

    private static void sha1(Cpu cpu, Insn i, RoundFunction f) {
        int a = word(cpu, i.rd, 0);
        int b = word(cpu, i.rd, 1);
        int c = word(cpu, i.rd, 2);
        int d = word(cpu, i.rd, 3);
        int e = word(cpu, i.rn, 0);
        for (int round = 0; round < 4; round++) {
            int next = e + rotateLeft(a, 5) + f.apply(b, c, d) + word(cpu, i.rm, round);
            e = d;
            d = c;
            c = rotateLeft(b, 30);
            b = a;
            a = next;
        }
        write(cpu, i, a, b, c, d);
    }

    private static void sha1Rotate(Cpu cpu, Insn i) {
        write(cpu, i, rotateLeft(word(cpu, i.rn, 0), 30), 0, 0, 0);
    }

    private static void sha1Schedule0(Cpu cpu, Insn i) {
        long low = cpu.v[2 * i.rd] ^ cpu.v[2 * i.rd + 1] ^ cpu.v[2 * i.rm];
        long high = cpu.v[2 * i.rd + 1] ^ cpu.v[2 * i.rn] ^ cpu.v[2 * i.rm + 1];
        cpu.v[2 * i.rd] = low;
        cpu.v[2 * i.rd + 1] = high;
    }

    private static void sha1Schedule1(Cpu cpu, Insn i) {
        int t0 = word(cpu, i.rd, 0) ^ word(cpu, i.rn, 1);
        int t1 = word(cpu, i.rd, 1) ^ word(cpu, i.rn, 2);
        int t2 = word(cpu, i.rd, 2) ^ word(cpu, i.rn, 3);
        int t3 = word(cpu, i.rd, 3);
        write(cpu, i, rotateLeft(t0, 1), rotateLeft(t1, 1), rotateLeft(t2, 1), rotateLeft(t3, 1) ^ rotateLeft(t0, 2));
    }

    /** One half of the result from all halves of the operands. */
    @FunctionalInterface
    private interface Half {
        long of(int half, long d0, long d1, long n0, long n1, long m0, long m1);
    }

    private static long schedule0(int half, long d0, long d1, long n0, long n1, long m0, long m1) {
        return CryptoHalves.sha256su0(half, d0, d1, n0);
    }

    private static Semantics sha256(Half op) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            int d = 2 * i.rd;
            int n = 2 * i.rn;
            int m = 2 * i.rm;
            long low = op.of(0, v[d], v[d + 1], v[n], v[n + 1], v[m], v[m + 1]);
            v[d + 1] = op.of(1, v[d], v[d + 1], v[n], v[n + 1], v[m], v[m + 1]);
            v[d] = low;
        };
    }
}
