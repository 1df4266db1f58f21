package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * LD1-LD4, ST1-ST4 (multiple and single structures) and LD1R-LD4R (Arm ARM C4.1.94). Operands: {@code rd} the first
 * V register, {@code rn} the base, {@code rm} the post-index register or -1 without write-back
 * ({@link CpuState#ZR_READ} when {@code imm} is added), {@code imm} the bytes transferred, {@code a} the element
 * size, {@code b} Q, {@code c} the element number of a single structure.
 */
final class StructureLoadStore {
    static final List<InstructionRow> ROWS = rows();

    private StructureLoadStore() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        multiple(rows, "4", "0000", 4, 1);
        multiple(rows, "1_4reg", "0010", 1, 4);
        multiple(rows, "3", "0100", 3, 1);
        multiple(rows, "1_3reg", "0110", 1, 3);
        multiple(rows, "1_1reg", "0111", 1, 1);
        multiple(rows, "2", "1000", 2, 1);
        multiple(rows, "1_2reg", "1010", 1, 2);
        for (int count = 1; count <= 4; count++) {
            int sizeLog2 = 0;
            for (String opcode : List.of("00Szz", "01Sz0", "10S00", "10001")) {
                single(rows, count, sizeLog2++, opcode);
            }
            replicate(rows, count);
        }
        return rows;
    }

    private static void multiple(List<InstructionRow> rows, String name, String opcode, int structure, int repeat) {
        Semantics load = repeat == 1 && structure > 1 ? (cpu, i) -> loadInterleaved(cpu, i, structure)
                : (cpu, i) -> loadConsecutive(cpu, i, repeat);
        Semantics store = repeat == 1 && structure > 1 ? (cpu, i) -> storeInterleaved(cpu, i, structure)
                : (cpu, i) -> storeConsecutive(cpu, i, repeat);
        String tail = opcode + " zz NNNNN ttttt";
        String suffix = name + "_mult";
        InstructionRow.Fields offset = i -> multiple(i, structure, repeat);
        InstructionRow.Fields post = i -> multiple(i, structure, repeat) && postIndex(i);
        rows.add(row("ST" + suffix, "0Q0011000 0 000000" + tail, offset, store));
        rows.add(row("LD" + suffix, "0Q0011000 1 000000" + tail, offset, load));
        rows.add(row("ST" + suffix + "_post", "0Q0011001 0 0MMMMM" + tail, post, store));
        rows.add(row("LD" + suffix + "_post", "0Q0011001 1 0MMMMM" + tail, post, load));
    }

    private static void single(List<InstructionRow> rows, int count, int sizeLog2, String opcode) {
        String r = count == 2 || count == 4 ? "1" : "0";
        String tail = opcode.substring(0, 2) + (count > 2 ? "1" : "0") + opcode.substring(2) + " NNNNN ttttt";
        String suffix = count + "_sngl_" + "BHSD".charAt(sizeLog2);
        InstructionRow.Fields offset = i -> single(i, count, sizeLog2);
        InstructionRow.Fields post = i -> single(i, count, sizeLog2) && postIndex(i);
        Semantics load = (cpu, i) -> loadSingle(cpu, i, count);
        Semantics store = (cpu, i) -> storeSingle(cpu, i, count);
        rows.add(row("ST" + suffix, "0Q0011010 0" + r + "00000" + tail, offset, store));
        rows.add(row("LD" + suffix, "0Q0011010 1" + r + "00000" + tail, offset, load));
        rows.add(row("ST" + suffix + "_post", "0Q0011011 0" + r + "MMMMM" + tail, post, store));
        rows.add(row("LD" + suffix + "_post", "0Q0011011 1" + r + "MMMMM" + tail, post, load));
    }

    private static void replicate(List<InstructionRow> rows, int count) {
        String r = count == 2 || count == 4 ? "1" : "0";
        String tail = "11" + (count > 2 ? "1" : "0") + "0zz NNNNN ttttt";
        Semantics load = (cpu, i) -> loadReplicated(cpu, i, count);
        rows.add(row("LD" + count + "R", "0Q0011010 1" + r + "00000" + tail, i -> replicated(i, count), load));
        rows.add(row("LD" + count + "R_post", "0Q0011011 1" + r + "MMMMM" + tail,
                i -> replicated(i, count) && postIndex(i), load));
    }

    private static boolean multiple(Insn i, int structure, int repeat) {
        base(i);
        i.a = i.bits(10, 2);
        i.imm = (long) structure * repeat * (8 << i.b);
        return structure == 1 || i.a != 3 || i.b != 0;
    }

    private static boolean single(Insn i, int count, int sizeLog2) {
        base(i);
        i.a = sizeLog2;
        i.c = (i.b << 3 | i.bits(10, 3)) >> sizeLog2;
        i.imm = (long) count << sizeLog2;
        return true;
    }

    private static boolean replicated(Insn i, int count) {
        base(i);
        i.a = i.bits(10, 2);
        i.imm = (long) count << i.a;
        return true;
    }

    private static void base(Insn i) {
        i.rd = i.bits(0, 5);
        i.rn = i.bits(5, 5);
        i.rm = -1;
        i.b = i.bits(30, 1);
    }

    private static boolean postIndex(Insn i) {
        i.rm = Encoding.xRead(i.bits(16, 5));
        return true;
    }

    private static void writeBack(Cpu cpu, Insn i) {
        if (i.rm >= 0) {
            cpu.x[i.rn] += i.rm == CpuState.ZR_READ ? i.imm : cpu.x[i.rm];
        }
    }

    /** Faults before the first register is written: at most two pages are touched. */
    private static void probe(Cpu cpu, Insn i, long va) {
        cpu.mmu.read8(va);
        long end = va + i.imm - 1;
        if (((va ^ end) & -4096) != 0) {
            cpu.mmu.read8(end & -4096);
        }
    }

    private static void loadConsecutive(Cpu cpu, Insn i, int count) {
        long va = cpu.x[i.rn];
        if (count > 1) {
            probe(cpu, i, va);
        }
        for (int k = 0; k < count; k++) {
            int at = 2 * (i.rd + k & 31);
            long low = cpu.mmu.read64(va, 1 << i.a);
            cpu.v[at + 1] = i.b == 0 ? 0 : cpu.mmu.read64(va + 8, 1 << i.a);
            cpu.v[at] = low;
            va += 8 << i.b;
        }
        writeBack(cpu, i);
    }

    private static void storeConsecutive(Cpu cpu, Insn i, int count) {
        long va = cpu.x[i.rn];
        for (int k = 0; k < count; k++) {
            int at = 2 * (i.rd + k & 31);
            cpu.mmu.write64(va, cpu.v[at], 1 << i.a);
            if (i.b != 0) {
                cpu.mmu.write64(va + 8, cpu.v[at + 1], 1 << i.a);
            }
            va += 8 << i.b;
        }
        writeBack(cpu, i);
    }

    private static void loadInterleaved(Cpu cpu, Insn i, int structure) {
        long va = cpu.x[i.rn];
        probe(cpu, i, va);
        int elements = 8 << i.b >> i.a;
        for (int e = 0; e < elements; e++) {
            for (int k = 0; k < structure; k++) {
                Lanes.set(cpu.v, i.rd + k & 31, i.a, e, read(cpu, va, i.a));
                va += 1L << i.a;
            }
        }
        for (int k = 0; k < structure && i.b == 0; k++) {
            cpu.v[2 * (i.rd + k & 31) + 1] = 0;
        }
        writeBack(cpu, i);
    }

    private static void storeInterleaved(Cpu cpu, Insn i, int structure) {
        long va = cpu.x[i.rn];
        int elements = 8 << i.b >> i.a;
        for (int e = 0; e < elements; e++) {
            for (int k = 0; k < structure; k++) {
                write(cpu, va, i.a, Lanes.get(cpu.v, i.rd + k & 31, i.a, e));
                va += 1L << i.a;
            }
        }
        writeBack(cpu, i);
    }

    private static void loadSingle(Cpu cpu, Insn i, int count) {
        long va = cpu.x[i.rn];
        probe(cpu, i, va);
        for (int k = 0; k < count; k++) {
            Lanes.set(cpu.v, i.rd + k & 31, i.a, i.c, read(cpu, va, i.a));
            va += 1L << i.a;
        }
        writeBack(cpu, i);
    }

    private static void storeSingle(Cpu cpu, Insn i, int count) {
        long va = cpu.x[i.rn];
        for (int k = 0; k < count; k++) {
            write(cpu, va, i.a, Lanes.get(cpu.v, i.rd + k & 31, i.a, i.c));
            va += 1L << i.a;
        }
        writeBack(cpu, i);
    }

    private static void loadReplicated(Cpu cpu, Insn i, int count) {
        long va = cpu.x[i.rn];
        probe(cpu, i, va);
        for (int k = 0; k < count; k++) {
            long half = LaneArithmetic.replicate(i.a, read(cpu, va, i.a));
            int at = 2 * (i.rd + k & 31);
            cpu.v[at] = half;
            cpu.v[at + 1] = i.b == 0 ? 0 : half;
            va += 1L << i.a;
        }
        writeBack(cpu, i);
    }

    private static long read(Cpu cpu, long va, int sizeLog2) {
        return switch (sizeLog2) {
            case 0 -> cpu.mmu.read8(va);
            case 1 -> cpu.mmu.read16(va);
            case 2 -> cpu.mmu.read32(va);
            default -> cpu.mmu.read64(va);
        };
    }

    private static void write(Cpu cpu, long va, int sizeLog2, long value) {
        switch (sizeLog2) {
            case 0 -> cpu.mmu.write8(va, (int) value);
            case 1 -> cpu.mmu.write16(va, (int) value);
            case 2 -> cpu.mmu.write32(va, (int) value);
            default -> cpu.mmu.write64(va, value);
        }
    }
}
