package gunyah.arm64.semantics;

import static gunyah.arm64.semantics.Rows.gated;
import static gunyah.arm64.semantics.Rows.rdField;
import static gunyah.arm64.semantics.Rows.rmField;
import static gunyah.arm64.semantics.Rows.rnField;
import static gunyah.arm64.semantics.Rows.row;
import static gunyah.arm64.semantics.Rows.xOrNowhere;
import static gunyah.arm64.semantics.Rows.xOrSp;
import static gunyah.arm64.semantics.Rows.xOrZr;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.InstructionRow.Fields;
import gunyah.arm64.state.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * Exclusive and ordered accesses of general registers (C4.1.94, load/store exclusive register, ordered; FEAT_LRCPC).
 * An exclusive load remembers host address and value; the store exclusive is a compare-and-swap with them, so it also
 * succeeds when the location changed and changed back in between (ABA), as in other emulators. Operands: {@code rd} the
 * transfer register, {@code ra} the second of a pair, {@code rm} the status register, {@code rn} the base, {@code c} the
 * log2 of the access size.
 */
public final class Exclusive {
    private static final String[] SUFFIX = {"B", "H", "_W", "_X"};

    static final List<InstructionRow> ROWS = rows();

    private Exclusive() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        for (int size = 0; size < 4; size++) {
            String head = "" + (size >>> 1) + (size & 1) + "001000";
            String name = SUFFIX[size];
            rows.add(row("STXR" + name, head + "0 0 0 sssss 0 uuuuu nnnnn ttttt", store(size), Exclusive::stxr));
            rows.add(row("STLXR" + name, head + "0 0 0 sssss 1 uuuuu nnnnn ttttt", store(size), Exclusive::stxr));
            rows.add(row("LDXR" + name, head + "0 1 0 uuuuu 0 uuuuu nnnnn ttttt", load(size), Exclusive::ldxr));
            rows.add(row("LDAXR" + name, head + "0 1 0 uuuuu 1 uuuuu nnnnn ttttt", load(size), Exclusive::ldxr));
            rows.add(row("STLLR" + name, head + "1 0 0 uuuuu 0 uuuuu nnnnn ttttt", store(size), Exclusive::stlr));
            rows.add(row("STLR" + name, head + "1 0 0 uuuuu 1 uuuuu nnnnn ttttt", store(size), Exclusive::stlr));
            rows.add(row("LDLAR" + name, head + "1 1 0 uuuuu 0 uuuuu nnnnn ttttt", load(size), Exclusive::ldar));
            rows.add(row("LDAR" + name, head + "1 1 0 uuuuu 1 uuuuu nnnnn ttttt", load(size), Exclusive::ldar));
            rows.add(gated("LDAPR" + name, "FEAT_LRCPC", "" + (size >>> 1) + (size & 1)
                    + "111 0 00 10 1 11111 1 100 00 nnnnn ttttt", load(size), Exclusive::ldapr));
        }
        for (int size = 2; size < 4; size++) {
            String head = "1" + (size & 1) + "001000";
            String name = SUFFIX[size];
            rows.add(row("STXP" + name, head + "0 0 1 sssss 0 aaaaa nnnnn ttttt", store(size), Exclusive::stxp));
            rows.add(row("STLXP" + name, head + "0 0 1 sssss 1 aaaaa nnnnn ttttt", store(size), Exclusive::stxp));
            rows.add(row("LDXP" + name, head + "0 1 1 uuuuu 0 aaaaa nnnnn ttttt", load(size), Exclusive::ldxp));
            rows.add(row("LDAXP" + name, head + "0 1 1 uuuuu 1 aaaaa nnnnn ttttt", load(size), Exclusive::ldxp));
        }
        return List.copyOf(rows);
    }

    private static Fields store(int size) {
        return insn -> {
            insn.rd = xOrZr(rdField(insn));
            insn.ra = xOrZr(insn.bits(10, 5));
            insn.rm = xOrNowhere(rmField(insn));
            insn.rn = xOrSp(rnField(insn));
            insn.c = size;
            return true;
        };
    }

    private static Fields load(int size) {
        return insn -> {
            insn.rd = xOrNowhere(rdField(insn));
            insn.ra = xOrNowhere(insn.bits(10, 5));
            insn.rn = xOrSp(rnField(insn));
            insn.c = size;
            return true;
        };
    }

    private static void ldxr(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = loadExclusive(cpu, cpu.x[insn.rn], insn.c);
    }

    private static long loadExclusive(Cpu cpu, long va, int size) {
        return loadExclusive(cpu.s, Ordered.hostToRead(cpu, va, size), size);
    }

    /** LDXR and LDAXR of {@code 1 << size} bytes at a host address. {@return the value} */
    public static long loadExclusive(CpuState s, long host, int size) {
        long value = Ordered.read(host, size);
        remember(s, host, 1 << size, value, 0);
        return value;
    }

    private static void stxr(Cpu cpu, Insn insn) {
        cpu.x[insn.rm] = storeExclusive(cpu, cpu.x[insn.rn], insn.c, cpu.x[insn.rd]);
    }

    private static long storeExclusive(Cpu cpu, long va, int size, long value) {
        return storeExclusive(cpu.s, Ordered.hostToWrite(cpu, va, size), size, value);
    }

    /** STXR and STLXR of {@code 1 << size} bytes at a host address. {@return 0 when stored, else 1} */
    public static long storeExclusive(CpuState s, long host, int size, long value) {
        boolean stored = s.exclusiveHost == host && s.exclusiveSize == 1 << size
                && Ordered.compareAndSwap(host, size, s.exclusiveValue, value) == s.exclusiveValue;
        s.exclusiveHost = 0;
        return stored ? 0 : 1;
    }

    private static void ldxp(Cpu cpu, Insn insn) {
        long host = Ordered.hostToRead(cpu, cpu.x[insn.rn], insn.c + 1);
        long low;
        long high;
        if (insn.c == 2) {
            long both = Ordered.read(host, 3);
            low = both & 0xFFFF_FFFFL;
            high = both >>> 32;
        } else {
            // not one access before the store exclusive succeeds (B2.2.1)
            low = Ordered.read(host, 3);
            high = Ordered.read(host + 8, 3);
        }
        remember(cpu.s, host, 2 << insn.c, low, high);
        cpu.x[insn.rd] = low;
        cpu.x[insn.ra] = high;
    }

    private static void stxp(Cpu cpu, Insn insn) {
        CpuState s = cpu.s;
        long host = Ordered.hostToWrite(cpu, cpu.x[insn.rn], insn.c + 1);
        boolean stored = s.exclusiveHost == host && s.exclusiveSize == 2 << insn.c;
        if (stored && insn.c == 2) {
            long expected = s.exclusiveValue | s.exclusiveValueHigh << 32;
            stored = Ordered.compareAndSwap(host, 3, expected,
                    cpu.x[insn.rd] & 0xFFFF_FFFFL | cpu.x[insn.ra] << 32) == expected;
        } else if (stored) {
            stored = cpu.swapPair(host, s.exclusiveValue, s.exclusiveValueHigh, cpu.x[insn.rd], cpu.x[insn.ra]);
        }
        s.exclusiveHost = 0;
        cpu.x[insn.rm] = stored ? 0 : 1;
    }

    private static void remember(CpuState s, long host, int size, long low, long high) {
        s.exclusiveHost = host;
        s.exclusiveSize = size;
        s.exclusiveValue = low;
        s.exclusiveValueHigh = high;
    }

    private static void ldar(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = Ordered.read(Ordered.hostToRead(cpu, cpu.x[insn.rn], insn.c), insn.c);
    }

    private static void stlr(Cpu cpu, Insn insn) {
        Ordered.write(Ordered.hostToWrite(cpu, cpu.x[insn.rn], insn.c), insn.c, cpu.x[insn.rd]);
    }

    private static void ldapr(Cpu cpu, Insn insn) {
        cpu.x[insn.rd] = Ordered.readAcquire(Ordered.hostToRead(cpu, cpu.x[insn.rn], insn.c), insn.c);
    }
}
