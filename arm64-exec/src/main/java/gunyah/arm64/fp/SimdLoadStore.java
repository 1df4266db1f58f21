package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.binary;
import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Encoding.xRead;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads and stores of one or two SIMD and FP registers (Arm ARM C4.1.94: load register literal, load/store pair and
 * single register in all addressing modes). Operands: {@code rd}, {@code ra} the V registers, {@code rn} the base,
 * {@code rm} the index register, {@code imm} the byte offset, {@code a} the extend option, {@code b} its shift,
 * {@code c} log2 of the register size in bytes.
 */
final class SimdLoadStore {
    static final List<InstructionRow> ROWS = rows();

    private static final int OFFSET = 0;
    private static final int POST = 1;
    private static final int PRE = 2;

    private SimdLoadStore() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int sizeLog2 = 0; sizeLog2 < 5; sizeLog2++) {
            single(rows, sizeLog2, true);
            single(rows, sizeLog2, false);
        }
        for (int sizeLog2 = 2; sizeLog2 < 5; sizeLog2++) {
            String opc = binary(sizeLog2 - 2, 2);
            int size = sizeLog2;
            rows.add(row("LDR_lit_fpsimd_" + "SDQ".charAt(size - 2), opc + "011100 iiiiiiiiiiiiiiiiiii ttttt",
                    i -> literal(i, size), SimdLoadStore::loadLiteral));
            pair(rows, "NP", opc + "1011000", size, OFFSET);
            pair(rows, "P", opc + "1011001", size, POST);
            pair(rows, "P", opc + "1011010", size, OFFSET);
            pair(rows, "P", opc + "1011011", size, PRE);
        }
        return rows;
    }

    private static void single(List<InstructionRow> rows, int sizeLog2, boolean load) {
        String size = sizeLog2 == 4 ? "00" : binary(sizeLog2, 2);
        String opc = (sizeLog2 == 4 ? "1" : "0") + (load ? "1" : "0");
        String letter = "_" + "BHSDQ".charAt(sizeLog2);
        String name = load ? "LDR" : "STR";
        String head = size + "111100" + opc;
        rows.add(row((load ? "LDUR" : "STUR") + "_fpsimd" + letter, head + "0 iiiiiiiii 00 NNNNN ttttt",
                i -> unscaled(i, sizeLog2), access(load, OFFSET)));
        rows.add(row(name + "_imm_fpsimd_post" + letter, head + "0 iiiiiiiii 01 NNNNN ttttt",
                i -> unscaled(i, sizeLog2), access(load, POST)));
        rows.add(row(name + "_imm_fpsimd_pre" + letter, head + "0 iiiiiiiii 11 NNNNN ttttt",
                i -> unscaled(i, sizeLog2), access(load, PRE)));
        String unsigned = size + "111101" + opc;
        rows.add(row(name + "_imm_fpsimd" + letter, unsigned + " iiiiiiiiiiii NNNNN ttttt",
                i -> unsigned(i, sizeLog2), access(load, OFFSET)));
        rows.add(row(name + "_reg_fpsimd" + letter, head + "1 MMMMM ooo s 10 NNNNN ttttt",
                i -> register(i, sizeLog2), load ? SimdLoadStore::loadRegister : SimdLoadStore::storeRegister));
    }

    private static Semantics access(boolean load, int mode) {
        return load ? (cpu, i) -> load(cpu, i, mode) : (cpu, i) -> store(cpu, i, mode);
    }

    private static void pair(List<InstructionRow> rows, String kind, String head, int sizeLog2, int mode) {
        String tail = " iiiiiii uuuuu NNNNN ttttt";
        String suffix = "_fpsimd" + List.of("", "_post", "_pre").get(mode) + "_" + "SDQ".charAt(sizeLog2 - 2);
        rows.add(row("ST" + kind + suffix, head + "0" + tail, i -> pair(i, sizeLog2),
                (cpu, i) -> storePair(cpu, i, mode)));
        rows.add(row("LD" + kind + suffix, head + "1" + tail, i -> pair(i, sizeLog2),
                (cpu, i) -> loadPair(cpu, i, mode)));
    }

    private static boolean base(Insn i, int sizeLog2) {
        i.rd = i.bits(0, 5);
        i.rn = i.bits(5, 5);
        i.c = sizeLog2;
        return true;
    }

    private static boolean unscaled(Insn i, int sizeLog2) {
        i.imm = i.signedBits(12, 9);
        return base(i, sizeLog2);
    }

    private static boolean unsigned(Insn i, int sizeLog2) {
        i.imm = (long) i.bits(10, 12) << sizeLog2;
        return base(i, sizeLog2);
    }

    private static boolean register(Insn i, int sizeLog2) {
        i.rm = xRead(i.bits(16, 5));
        i.a = i.bits(13, 3);
        i.b = i.bits(12, 1) * sizeLog2;
        return base(i, sizeLog2) && (i.a & 2) != 0;
    }

    private static boolean literal(Insn i, int sizeLog2) {
        i.imm = i.signedBits(5, 19) * 4L;
        i.rd = i.bits(0, 5);
        i.c = sizeLog2;
        return true;
    }

    private static boolean pair(Insn i, int sizeLog2) {
        i.imm = (long) i.signedBits(15, 7) << sizeLog2;
        i.ra = i.bits(10, 5);
        return base(i, sizeLog2);
    }

    private static void load(Cpu cpu, Insn i, int mode) {
        long base = cpu.x[i.rn];
        loadAt(cpu, i, mode == POST ? base : base + i.imm);
        if (mode != OFFSET) {
            cpu.x[i.rn] = base + i.imm;
        }
    }

    private static void store(Cpu cpu, Insn i, int mode) {
        long base = cpu.x[i.rn];
        storeAt(cpu, mode == POST ? base : base + i.imm, i.rd, i.c);
        if (mode != OFFSET) {
            cpu.x[i.rn] = base + i.imm;
        }
    }

    private static void loadRegister(Cpu cpu, Insn i) {
        loadAt(cpu, i, cpu.x[i.rn] + index(cpu, i));
    }

    private static void storeRegister(Cpu cpu, Insn i) {
        storeAt(cpu, cpu.x[i.rn] + index(cpu, i), i.rd, i.c);
    }

    private static void loadLiteral(Cpu cpu, Insn i) {
        loadAt(cpu, i, cpu.s.pc + i.imm);
    }

    private static long index(Cpu cpu, Insn i) {
        long x = cpu.x[i.rm];
        long extended = switch (i.a) {
            case 2 -> x & 0xFFFF_FFFFL;
            case 6 -> (int) x;
            default -> x;
        };
        return extended << i.b;
    }

    private static void loadAt(Cpu cpu, Insn i, long va) {
        long low = read(cpu, va, i.c);
        cpu.v[2 * i.rd + 1] = i.c == 4 ? cpu.mmu.read64(va + 8) : 0;
        cpu.v[2 * i.rd] = low;
    }

    private static long read(Cpu cpu, long va, int sizeLog2) {
        return switch (sizeLog2) {
            case 0 -> cpu.mmu.read8(va);
            case 1 -> cpu.mmu.read16(va);
            case 2 -> cpu.mmu.read32(va) & 0xFFFF_FFFFL;
            case 3 -> cpu.mmu.read64(va);
            // the first half of 16 bytes, which must be aligned as a whole where alignment is checked
            default -> cpu.mmu.read64(va, 16);
        };
    }

    private static void storeAt(Cpu cpu, long va, int reg, int sizeLog2) {
        long low = cpu.v[2 * reg];
        switch (sizeLog2) {
            case 0 -> cpu.mmu.write8(va, (int) low);
            case 1 -> cpu.mmu.write16(va, (int) low);
            case 2 -> cpu.mmu.write32(va, (int) low);
            case 3 -> cpu.mmu.write64(va, low);
            default -> {
                cpu.mmu.write64(va, low, 16);
                cpu.mmu.write64(va + 8, cpu.v[2 * reg + 1]);
            }
        }
    }

    private static void loadPair(Cpu cpu, Insn i, int mode) {
        long base = cpu.x[i.rn];
        long va = mode == POST ? base : base + i.imm;
        long second = va + (1L << i.c);
        long low1 = read(cpu, va, i.c);
        long high1 = i.c == 4 ? cpu.mmu.read64(va + 8) : 0;
        long low2 = read(cpu, second, i.c);
        long high2 = i.c == 4 ? cpu.mmu.read64(second + 8) : 0;
        cpu.v[2 * i.rd] = low1;
        cpu.v[2 * i.rd + 1] = high1;
        cpu.v[2 * i.ra] = low2;
        cpu.v[2 * i.ra + 1] = high2;
        if (mode != OFFSET) {
            cpu.x[i.rn] = base + i.imm;
        }
    }

    private static void storePair(Cpu cpu, Insn i, int mode) {
        long base = cpu.x[i.rn];
        long va = mode == POST ? base : base + i.imm;
        storeAt(cpu, va, i.rd, i.c);
        storeAt(cpu, va + (1L << i.c), i.ra, i.c);
        if (mode != OFFSET) {
            cpu.x[i.rn] = base + i.imm;
        }
    }
}
