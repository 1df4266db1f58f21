package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static java.lang.Long.rotateRight;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/** Cryptographic rows of FEAT_SHA512 and FEAT_SHA3 (Arm ARM C4.1.95; FIPS 180-4, FIPS 202). */
final class CryptoSha512 {
    private static final String SHA512 = "FEAT_SHA512";
    private static final String SHA3 = "FEAT_SHA3";

    static final List<InstructionRow> ROWS = List.of(
            row("SHA512H", SHA512, "11001110 011 mmmmm 1000 00 nnnnn ddddd", Encoding::scalar, CryptoSha512::hash),
            row("SHA512H2", SHA512, "11001110 011 mmmmm 1000 01 nnnnn ddddd", Encoding::scalar, CryptoSha512::hash2),
            row("SHA512SU1", SHA512, "11001110 011 mmmmm 1000 10 nnnnn ddddd", Encoding::scalar,
                    each(CryptoSha512::sigma1)),
            row("RAX1", SHA3, "11001110 011 mmmmm 1000 11 nnnnn ddddd", Encoding::scalar,
                    each((d, n, m, a) -> n ^ rotateRight(m, 63))),
            row("SHA512SU0", SHA512, "11001110 110 00000 1000 00 nnnnn ddddd", Encoding::scalar,
                    CryptoSha512::schedule0),
            row("EOR3", SHA3, "11001110 000 mmmmm 0 aaaaa nnnnn ddddd", CryptoSha512::four,
                    each((d, n, m, a) -> n ^ m ^ a)),
            row("BCAX", SHA3, "11001110 001 mmmmm 0 aaaaa nnnnn ddddd", CryptoSha512::four,
                    each((d, n, m, a) -> n ^ m & ~a)),
            row("XAR", SHA3, "11001110 100 mmmmm iiiiii nnnnn ddddd", CryptoSha512::rotation, CryptoSha512::xorRotate));

    private CryptoSha512() {
    }

    /** An operation on each 64-bit half. */
    @FunctionalInterface
    private interface HalfFunction {
        long apply(long d, long n, long m, long a);
    }

    private static boolean four(Insn i) {
        i.ra = i.bits(10, 5);
        return Encoding.scalar(i);
    }

    private static boolean rotation(Insn i) {
        i.c = i.bits(10, 6);
        return Encoding.scalar(i);
    }

    private static Semantics each(HalfFunction function) {
        return (cpu, i) -> {
            long[] v = cpu.v;
            long low = function.apply(v[2 * i.rd], v[2 * i.rn], v[2 * i.rm], v[2 * i.ra]);
            v[2 * i.rd + 1] = function.apply(v[2 * i.rd + 1], v[2 * i.rn + 1], v[2 * i.rm + 1], v[2 * i.ra + 1]);
            v[2 * i.rd] = low;
        };
    }

    private static void xorRotate(Cpu cpu, Insn i) {
        cpu.v[2 * i.rd] = rotateRight(cpu.v[2 * i.rn] ^ cpu.v[2 * i.rm], i.c);
        cpu.v[2 * i.rd + 1] = rotateRight(cpu.v[2 * i.rn + 1] ^ cpu.v[2 * i.rm + 1], i.c);
    }

    private static long sigma1(long d, long n, long m, long a) {
        return d + (rotateRight(n, 19) ^ rotateRight(n, 61) ^ n >>> 6) + m;
    }

    private static long smallSigma0(long x) {
        return rotateRight(x, 1) ^ rotateRight(x, 8) ^ x >>> 7;
    }

    private static long bigSigma1(long x) {
        return rotateRight(x, 14) ^ rotateRight(x, 18) ^ rotateRight(x, 41);
    }

    private static long bigSigma0(long x) {
        return rotateRight(x, 28) ^ rotateRight(x, 34) ^ rotateRight(x, 39);
    }

    private static long choose(long x, long y, long z) {
        return x & y ^ ~x & z;
    }

    private static long majority(long x, long y, long z) {
        return x & y ^ x & z ^ y & z;
    }

    private static void schedule0(Cpu cpu, Insn i) {
        long next = cpu.v[2 * i.rn];
        cpu.v[2 * i.rd] += smallSigma0(cpu.v[2 * i.rd + 1]);
        cpu.v[2 * i.rd + 1] += smallSigma0(next);
    }

    private static void hash(Cpu cpu, Insn i) {
        long n0 = cpu.v[2 * i.rn];
        long n1 = cpu.v[2 * i.rn + 1];
        long m0 = cpu.v[2 * i.rm];
        long m1 = cpu.v[2 * i.rm + 1];
        long high = choose(m1, n0, n1) + bigSigma1(m1) + cpu.v[2 * i.rd + 1];
        long e = high + m0;
        cpu.v[2 * i.rd] += choose(e, m1, n0) + bigSigma1(e);
        cpu.v[2 * i.rd + 1] = high;
    }

    private static void hash2(Cpu cpu, Insn i) {
        long n0 = cpu.v[2 * i.rn];
        long m0 = cpu.v[2 * i.rm];
        long m1 = cpu.v[2 * i.rm + 1];
        long high = majority(n0, m1, m0) + bigSigma0(m0) + cpu.v[2 * i.rd + 1];
        cpu.v[2 * i.rd] += majority(high, m0, m1) + bigSigma0(high);
        cpu.v[2 * i.rd + 1] = high;
    }
}
