package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/**
 * Cryptographic AES rows and the 64-bit polynomial product (Arm ARM C4.1.95; FIPS 197). The AES state is a V register
 * with byte {@code 4 * column + row}.
 */
final class CryptoAes {
    private static final byte[] SBOX = new byte[256];
    private static final byte[] INVERSE_SBOX = new byte[256];

    static final List<InstructionRow> ROWS = List.of(
            aes("AESE", "00100", (cpu, i) -> substitute(cpu, i, SBOX, 1)),
            aes("AESD", "00101", (cpu, i) -> substitute(cpu, i, INVERSE_SBOX, 3)),
            aes("AESMC", "00110", (cpu, i) -> mixColumns(cpu, i, 0x02, 0x03, 0x01, 0x01)),
            aes("AESIMC", "00111", (cpu, i) -> mixColumns(cpu, i, 0x0E, 0x0B, 0x0D, 0x09)),
            row("PMULL_v_1Q", "FEAT_PMULL", "0Q001110 11 1 mmmmm 1110 00 nnnnn ddddd", CryptoAes::fields,
                    CryptoAes::pmull));

    static {
        int power = 1;
        int inverse = 1;
        do {
            power = multiply(power, 3);
            inverse = multiply(inverse, 0xF6);
            substitution(power, inverse);
        } while (power != 1);
        substitution(0, 0);
    }

    private CryptoAes() {
    }

    private static void substitution(int x, int inverse) {
        int rotations = inverse * 0x101;
        int s = 0x63 ^ inverse ^ rotations >> 4 ^ rotations >> 5 ^ rotations >> 6 ^ rotations >> 7;
        SBOX[x] = (byte) s;
        INVERSE_SBOX[s & 0xFF] = (byte) x;
    }

    /** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
    private static int multiply(int a, int b) {
        int product = 0;
        int shifted = a;
        for (int rest = b; rest != 0; rest >>= 1) {
            product ^= (rest & 1) * shifted;
            shifted = shifted << 1 ^ (shifted >> 7) * 0x11B;
        }
        return product;
    }

    private static InstructionRow aes(String name, String opcode, Semantics semantics) {
        return row(name, "FEAT_AES", "01001110 00 10100 " + opcode + " 10 nnnnn ddddd", CryptoAes::fields, semantics);
    }

    private static boolean fields(Insn i) {
        Encoding.scalar(i);
        i.b = i.bits(30, 1);
        return true;
    }

    /** AddRoundKey, then each byte substituted and taken from {@code step} columns to the right per row. */
    private static void substitute(Cpu cpu, Insn i, byte[] box, int step) {
        long low = cpu.v[2 * i.rd] ^ cpu.v[2 * i.rn];
        long high = cpu.v[2 * i.rd + 1] ^ cpu.v[2 * i.rn + 1];
        cpu.v[2 * i.rd] = substituted(low, high, box, step, 0);
        cpu.v[2 * i.rd + 1] = substituted(low, high, box, step, 8);
    }

    private static long substituted(long low, long high, byte[] box, int step, int first) {
        long result = 0;
        for (int k = 0; k < 8; k++) {
            int from = first + k + 4 * step * (k & 3) & 15;
            long half = from < 8 ? low : high;
            result |= (box[(int) (half >>> 8 * (from & 7)) & 0xFF] & 0xFFL) << 8 * k;
        }
        return result;
    }

    private static void mixColumns(Cpu cpu, Insn i, int c0, int c1, int c2, int c3) {
        for (int half = 0; half < 2; half++) {
            long n = cpu.v[2 * i.rn + half];
            long low = mixColumn((int) n, c0, c1, c2, c3) & 0xFFFF_FFFFL;
            cpu.v[2 * i.rd + half] = low | (long) mixColumn((int) (n >>> 32), c0, c1, c2, c3) << 32;
        }
    }

    private static int mixColumn(int column, int c0, int c1, int c2, int c3) {
        int result = 0;
        for (int r = 0; r < 32; r += 8) {
            int rotated = Integer.rotateRight(column, r);
            int mixed = multiply(rotated & 0xFF, c0) ^ multiply(rotated >>> 8 & 0xFF, c1)
                    ^ multiply(rotated >>> 16 & 0xFF, c2) ^ multiply(rotated >>> 24, c3);
            result |= mixed << r;
        }
        return result;
    }

    private static void pmull(Cpu cpu, Insn i) {
        long n = cpu.v[2 * i.rn + i.b];
        long m = cpu.v[2 * i.rm + i.b];
        long low = 0;
        long high = 0;
        for (int bit = 0; bit < 64; bit++) {
            long selected = -(m >>> bit & 1) & n;
            low ^= selected << bit;
            high ^= selected >>> 1 >>> 63 - bit;
        }
        cpu.v[2 * i.rd] = low;
        cpu.v[2 * i.rd + 1] = high;
    }
}
