package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rmField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.semantics.Rows.xOrZr;
import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * Atomic memory operations of FEAT_LSE (C4.1.94). All are fully ordered here, whatever their A and R bits ask.
 * Operands: {@code rm} the source or compare register, {@code rd} the result (for CAS the value to store), base
 * {@code rn}, {@code c} the log2 of the size, {@code a} the operation of LD&lt;op&gt;.
 */
public final class Atomic {
    private static final String[] OPERATIONS = {"LDADD", "LDCLR", "LDEOR", "LDSET", "LDSMAX", "LDSMIN", "LDUMAX",
        "LDUMIN"};
    private static final String[] SUFFIX = {"B", "H", "_W", "_X"};
    private static final String LSE = "FEAT_LSE";

    static final List<InstructionRow> ROWS = rows();

    private Atomic() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int size = 0; size < 4; size++) {
            String bits = "" + (size >>> 1) + (size & 1);
            for (int operation = 0; operation < 8; operation++) {
                String opc = "" + (operation >>> 2) + (operation >>> 1 & 1) + (operation & 1);
                rows.add(gated(OPERATIONS[operation] + SUFFIX[size], LSE,
                        bits + "111 0 00 A R 1 sssss 0" + opc + "00 nnnnn ttttt", fields(size, operation),
                        Atomic::loadOperate));
            }
            rows.add(gated("SWP" + SUFFIX[size], LSE, bits + "111 0 00 A R 1 sssss 1 000 00 nnnnn ttttt",
                    fields(size, 0), Atomic::swap));
            rows.add(gated("CAS" + SUFFIX[size], LSE, bits + "001000 1 A 1 sssss R 11111 nnnnn ttttt",
                    casFields(size), Atomic::compareAndSwap));
        }
        rows.add(gated("CASP_W", LSE, "00 001000 0 A 1 ssss0 R 11111 nnnnn tttt0", pairFields(2),
                Atomic::compareAndSwapPairW));
        rows.add(gated("CASP_X", LSE, "01 001000 0 A 1 ssss0 R 11111 nnnnn tttt0", pairFields(3),
                Atomic::compareAndSwapPairX));
        return List.copyOf(rows);
    }

    private static Fields fields(int size, int operation) {
        return insn -> {
            insn.rm = xOrZr(rmField(insn));
            insn.rd = xOrNowhere(rdField(insn));
            insn.rn = xOrSp(rnField(insn));
            insn.c = size;
            insn.a = operation;
            return true;
        };
    }

    private static Fields casFields(int size) {
        return insn -> {
            insn.rm = rmField(insn);
            insn.rd = xOrZr(rdField(insn));
            insn.rn = xOrSp(rnField(insn));
            insn.c = size;
            return true;
        };
    }

    private static Fields pairFields(int size) {
        return insn -> {
            insn.rm = rmField(insn);
            insn.rd = rdField(insn);
            insn.rn = xOrSp(rnField(insn));
            insn.c = size;
            return true;
        };
    }

    private static void loadOperate(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = loadOperate(Ordered.hostToModify(cpu, cpu.x[insn.rn], insn.c), insn.c, insn.a,
                cpu.x[insn.rm]);
    }

    /** LD&lt;op&gt; of {@code 1 << size} bytes at a host address. {@return the value before} */
    public static long loadOperate(long host, int size, int operation, long operand) {
        if (operation == 0 && size == 3) {
            return RAW.getAndAddLong(host, operand);
        }
        if (operation == 0 && size == 2) {
            return RAW.getAndAddInt(host, (int) operand) & Rows.LOW;
        }
        long before;
        long found = Ordered.read(host, size);
        do {
            before = found;
            found = Ordered.compareAndSwap(host, size, before, operate(operation, size, before, operand));
        } while (found != before);
        return before;
    }

    private static long operate(int operation, int size, long memory, long operand) {
        int unused = 64 - (8 << size);
        long left = memory << unused;
        long right = operand << unused;
        return switch (operation) {
            case 0 -> memory + operand;
            case 1 -> memory & ~operand;
            case 2 -> memory ^ operand;
            case 3 -> memory | operand;
            case 4 -> left >= right ? memory : operand;
            case 5 -> left <= right ? memory : operand;
            case 6 -> Long.compareUnsigned(left, right) >= 0 ? memory : operand;
            default -> Long.compareUnsigned(left, right) <= 0 ? memory : operand;
        };
    }

    private static void swap(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = swap(Ordered.hostToModify(cpu, cpu.x[insn.rn], insn.c), insn.c, cpu.x[insn.rm]);
    }

    /** SWP of {@code 1 << size} bytes at a host address. {@return the value before} */
    public static long swap(long host, int size, long value) {
        long found = Ordered.read(host, size);
        long before;
        do {
            before = found;
            found = Ordered.compareAndSwap(host, size, before, value);
        } while (found != before);
        return before;
    }

    private static void compareAndSwap(Cpu cpu, Insn insn) {
        cpu.x[xOrNowhere(insn.rm)] = compareAndSwap(Ordered.hostToModify(cpu, cpu.x[insn.rn], insn.c), insn.c,
                cpu.x[xOrZr(insn.rm)], cpu.x[insn.rd]);
    }

    /** CAS of {@code 1 << size} bytes at a host address. {@return the value before} */
    public static long compareAndSwap(long host, int size, long expected, long value) {
        return Ordered.compareAndSwap(host, size, Ordered.truncate(expected, size), value);
    }

    private static void compareAndSwapPairW(Cpu cpu, Insn insn) {
        long host = Ordered.hostToModify(cpu, cpu.x[insn.rn], 3);
        long expected = cpu.x[insn.rm] & Rows.LOW | cpu.x[xOrZr(insn.rm + 1)] << 32;
        long value = cpu.x[insn.rd] & Rows.LOW | cpu.x[xOrZr(insn.rd + 1)] << 32;
        long found = Ordered.compareAndSwap(host, 3, expected, value);
        cpu.x[insn.rm] = found & Rows.LOW;
        cpu.x[xOrNowhere(insn.rm + 1)] = found >>> 32;
    }

    private static void compareAndSwapPairX(Cpu cpu, Insn insn) {
        CpuState s = cpu.s;
        long host = Ordered.hostToModify(cpu, cpu.x[insn.rn], 4);
        if (!cpu.swapPair(host, s.x[insn.rm], s.x[xOrZr(insn.rm + 1)], s.x[insn.rd], s.x[xOrZr(insn.rd + 1)])) {
            s.x[insn.rm] = cpu.pairFound(0);
            s.x[xOrNowhere(insn.rm + 1)] = cpu.pairFound(1);
        }
    }
}
