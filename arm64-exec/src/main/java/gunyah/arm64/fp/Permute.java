package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;

/** Advanced SIMD permute, extract and table lookup (Arm ARM C4.1.95): UZP, TRN, ZIP, EXT, TBL, TBX. */
final class Permute {
    static final List<InstructionRow> ROWS = List.of(
            permute("UZP1", "001", (cpu, i) -> unzip(cpu, i, 0)),
            permute("TRN1", "010", (cpu, i) -> transpose(cpu, i, 0)),
            permute("ZIP1", "011", (cpu, i) -> zip(cpu, i, 0)),
            permute("UZP2", "101", (cpu, i) -> unzip(cpu, i, 1)),
            permute("TRN2", "110", (cpu, i) -> transpose(cpu, i, 1)),
            permute("ZIP2", "111", (cpu, i) -> zip(cpu, i, 1)),
            row("EXT", "0Q 101110000 mmmmm 0 iiii 0 nnnnn ddddd", Permute::extFields, Permute::ext),
            row("TBL", "0Q 001110000 mmmmm 0 ll 0 00 nnnnn ddddd", Permute::tableFields,
                    (cpu, i) -> table(cpu, i, false)),
            row("TBX", "0Q 001110000 mmmmm 0 ll 1 00 nnnnn ddddd", Permute::tableFields,
                    (cpu, i) -> table(cpu, i, true)));

    private Permute() {
    }

    private static InstructionRow permute(String name, String opcode, Semantics semantics) {
        return row(name, "0Q 001110 zz 0 mmmmm 0 " + opcode + " 10 nnnnn ddddd", Encoding::vector, semantics);
    }

    private static boolean extFields(Insn i) {
        Encoding.vector(i);
        i.b = i.bits(30, 1);
        i.c = i.bits(11, 4);
        return i.b == 1 || i.c < 8;
    }

    private static boolean tableFields(Insn i) {
        Encoding.vector(i);
        i.b = i.bits(30, 1);
        i.c = i.bits(13, 2) + 1;
        return true;
    }

    private static void unzip(Cpu cpu, Insn i, int part) {
        long n0 = cpu.v[2 * i.rn];
        long m0 = cpu.v[2 * i.rm];
        long n1 = cpu.v[2 * i.rn + 1];
        long m1 = cpu.v[2 * i.rm + 1];
        if (i.a == 3) {
            write(cpu, i, part == 0 ? n0 : n1, part == 0 ? m0 : m1);
            return;
        }
        int shift = part * (8 << i.a);
        if (i.b == 0) {
            write(cpu, i, Lanes.evens(i.a, n0 >>> shift, m0 >>> shift), 0);
        } else {
            long low = Lanes.evens(i.a, n0 >>> shift, n1 >>> shift);
            write(cpu, i, low, Lanes.evens(i.a, m0 >>> shift, m1 >>> shift));
        }
    }

    private static void transpose(Cpu cpu, Insn i, int part) {
        if (i.a == 3) {
            write(cpu, i, cpu.v[2 * i.rn + part], cpu.v[2 * i.rm + part]);
            return;
        }
        long low = transposeHalf(i.a, cpu.v[2 * i.rn], cpu.v[2 * i.rm], part);
        write(cpu, i, low, transposeHalf(i.a, cpu.v[2 * i.rn + 1], cpu.v[2 * i.rm + 1], part));
    }

    private static long transposeHalf(int size, long n, long m, int part) {
        int width = 8 << size;
        long even = LaneArithmetic.replicate(size + 1, Lanes.mask(size));
        return part == 0 ? n & even | (m & even) << width : n >>> width & even | m & even << width;
    }

    private static void zip(Cpu cpu, Insn i, int part) {
        if (i.b == 0) {
            int half = 32 * part;
            write(cpu, i, zipHalf(i.a, cpu.v[2 * i.rn] >>> half, cpu.v[2 * i.rm] >>> half), 0);
            return;
        }
        long n = cpu.v[2 * i.rn + part];
        long m = cpu.v[2 * i.rm + part];
        if (i.a == 3) {
            write(cpu, i, n, m);
        } else {
            write(cpu, i, zipHalf(i.a, n, m), zipHalf(i.a, n >>> 32, m >>> 32));
        }
    }

    /** Interleaves the elements of the low 32 bits of {@code n} and {@code m}. */
    private static long zipHalf(int size, long n, long m) {
        int width = 8 << size;
        long result = 0;
        for (int bit = 0; bit < 32; bit += width) {
            result |= (n >>> bit & Lanes.mask(size) | (m >>> bit & Lanes.mask(size)) << width) << 2 * bit;
        }
        return result;
    }

    private static void ext(Cpu cpu, Insn i) {
        long n0 = cpu.v[2 * i.rn];
        long m0 = cpu.v[2 * i.rm];
        int bits = 8 * (i.c & 7);
        if (i.b == 0) {
            write(cpu, i, funnel(n0, m0, bits), 0);
            return;
        }
        long n1 = cpu.v[2 * i.rn + 1];
        long m1 = cpu.v[2 * i.rm + 1];
        if (i.c < 8) {
            write(cpu, i, funnel(n0, n1, bits), funnel(n1, m0, bits));
        } else {
            write(cpu, i, funnel(n1, m0, bits), funnel(m0, m1, bits));
        }
    }

    private static long funnel(long low, long high, int bits) {
        return bits == 0 ? low : low >>> bits | high << 64 - bits;
    }

    private static void table(Cpu cpu, Insn i, boolean keep) {
        long low = tableHalf(cpu, i, cpu.v[2 * i.rm], keep ? cpu.v[2 * i.rd] : 0);
        long high = i.b == 0 ? 0 : tableHalf(cpu, i, cpu.v[2 * i.rm + 1], keep ? cpu.v[2 * i.rd + 1] : 0);
        write(cpu, i, low, high);
    }

    private static long tableHalf(Cpu cpu, Insn i, long indexes, long otherwise) {
        long result = 0;
        for (int bit = 0; bit < 64; bit += 8) {
            int index = (int) (indexes >>> bit) & 0xFF;
            long value = index < 16 * i.c ? Lanes.get(cpu.v, i.rn + (index >> 4) & 31, 0, index & 15)
                    : otherwise >>> bit & 0xFF;
            result |= value << bit;
        }
        return result;
    }

    private static void write(Cpu cpu, Insn i, long low, long high) {
        cpu.v[2 * i.rd] = low;
        cpu.v[2 * i.rd + 1] = i.b == 0 ? 0 : high;
    }
}
