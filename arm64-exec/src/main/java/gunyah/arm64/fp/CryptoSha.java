package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static java.lang.Integer.rotateLeft;
import static java.lang.Integer.rotateRight;

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
            three("SHA1M", "FEAT_SHA1", "010", (cpu, i) -> sha1(cpu, i, CryptoSha::majority)),
            three("SHA1SU0", "FEAT_SHA1", "011", CryptoSha::sha1Schedule0),
            three("SHA256H", "FEAT_SHA256", "100", (cpu, i) -> sha256(cpu, i, i.rd, i.rn, true)),
            three("SHA256H2", "FEAT_SHA256", "101", (cpu, i) -> sha256(cpu, i, i.rn, i.rd, false)),
            three("SHA256SU1", "FEAT_SHA256", "110", CryptoSha::sha256Schedule1),
            two("SHA1H", "FEAT_SHA1", "00000", CryptoSha::sha1Rotate),
            two("SHA1SU1", "FEAT_SHA1", "00001", CryptoSha::sha1Schedule1),
            two("SHA256SU0", "FEAT_SHA256", "00010", CryptoSha::sha256Schedule0));

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

    private static int majority(int a, int b, int c) {
        return a & b | (a | b) & c;
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

    /** Four rounds; {@code abcd} and {@code efgh} name the registers, {@code first} says which half is the result. */
    private static void sha256(Cpu cpu, Insn i, int abcd, int efgh, boolean first) {
        int a = word(cpu, abcd, 0);
        int b = word(cpu, abcd, 1);
        int c = word(cpu, abcd, 2);
        int d = word(cpu, abcd, 3);
        int e = word(cpu, efgh, 0);
        int f = word(cpu, efgh, 1);
        int g = word(cpu, efgh, 2);
        int h = word(cpu, efgh, 3);
        for (int round = 0; round < 4; round++) {
            int sigma1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
            int sigma0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
            int t = h + sigma1 + (g ^ e & (f ^ g)) + word(cpu, i.rm, round);
            int next = t + sigma0 + majority(a, b, c);
            h = g;
            g = f;
            f = e;
            e = d + t;
            d = c;
            c = b;
            b = a;
            a = next;
        }
        if (first) {
            write(cpu, i, a, b, c, d);
        } else {
            write(cpu, i, e, f, g, h);
        }
    }

    private static void sha256Schedule0(Cpu cpu, Insn i) {
        int w0 = word(cpu, i.rd, 0) + small0(word(cpu, i.rd, 1));
        int w1 = word(cpu, i.rd, 1) + small0(word(cpu, i.rd, 2));
        int w2 = word(cpu, i.rd, 2) + small0(word(cpu, i.rd, 3));
        write(cpu, i, w0, w1, w2, word(cpu, i.rd, 3) + small0(word(cpu, i.rn, 0)));
    }

    private static void sha256Schedule1(Cpu cpu, Insn i) {
        int w0 = word(cpu, i.rd, 0) + word(cpu, i.rn, 1) + small1(word(cpu, i.rm, 2));
        int w1 = word(cpu, i.rd, 1) + word(cpu, i.rn, 2) + small1(word(cpu, i.rm, 3));
        int w2 = word(cpu, i.rd, 2) + word(cpu, i.rn, 3) + small1(w0);
        write(cpu, i, w0, w1, w2, word(cpu, i.rd, 3) + word(cpu, i.rm, 0) + small1(w1));
    }

    private static int small0(int x) {
        return rotateRight(x, 7) ^ rotateRight(x, 18) ^ x >>> 3;
    }

    private static int small1(int x) {
        return rotateRight(x, 17) ^ rotateRight(x, 19) ^ x >>> 10;
    }
}
