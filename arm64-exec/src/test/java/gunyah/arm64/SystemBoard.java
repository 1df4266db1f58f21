package gunyah.arm64;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.mmu.TlbBroadcast;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.CodeInvalidation;
import gunyah.arm64.sysreg.Exceptions;
import gunyah.arm64.sysreg.IdRegisters;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A vCPU's system side without an instruction engine, and a page table builder: RAM of 8 MiB at IPA
 * {@link #RAM}, tables taken from its top. Memory of IPA {@code i} lies at PA {@code i - RAM + 1 MiB}, so that a mixed-up
 * address space shows.
 */
public final class SystemBoard implements AutoCloseable {
    public static final long RAM = 0x8000_0000L;
    public static final long RAM_SIZE = 8 << 20;
    public static final int SCTLR = key(3, 0, 1, 0, 0);
    public static final int CPACR = key(3, 0, 1, 0, 2);
    public static final int TTBR0 = key(3, 0, 2, 0, 0);
    public static final int TTBR1 = key(3, 0, 2, 0, 1);
    public static final int TCR = key(3, 0, 2, 0, 2);
    public static final int SPSR = key(3, 0, 4, 0, 0);
    public static final int ELR = key(3, 0, 4, 0, 1);
    public static final int ESR = key(3, 0, 5, 2, 0);
    public static final int FAR = key(3, 0, 6, 0, 0);
    public static final int PAR = key(3, 0, 7, 4, 0);
    public static final int MAIR = key(3, 0, 10, 2, 0);
    public static final int VBAR = key(3, 0, 12, 0, 0);

    public static final long SCTLR_RESET = 0x30D5_0998;
    /** Leaf attributes: valid page, AF, normal memory (MAIR index 1), inner shareable. */
    public static final long PAGE = 3 | 1 << 2 | 3 << 8 | 1 << 10;
    /** As {@link #PAGE}, for a block. */
    public static final long BLOCK = PAGE - 2;
    public static final long DEVICE_PAGE = 3 | 1 << 10;
    public static final long USER = 1 << 6;
    public static final long READ_ONLY = 1 << 7;
    public static final long NON_GLOBAL = 1 << 11;
    public static final long PXN = 1L << 53;
    public static final long UXN = 1L << 54;
    /** T0SZ = T1SZ = 16 (48 bits), TG1 4 KiB, IPS 36 bits, 16-bit ASIDs. */
    public static final long TCR_48 = 16 | 16 << 16 | 2L << 30 | 1L << 32 | 1L << 36;

    public final CpuState s = new CpuState();
    public final Abort abort = new Abort();
    public final UndefinedInstruction undefined = new UndefinedInstruction();
    public final VcpuControl control = new VcpuControl();
    public final PhysicalMemory memory = new PhysicalMemory(16 << 20);
    public final Stage2Table stage2 = new Stage2Table();
    public final Port port = new Port();
    public final List<String> events = new ArrayList<>();
    public final Mmu mmu;
    public final SystemRegisters registers;
    public final Exceptions exceptions;
    private long nextTable = RAM + RAM_SIZE;

    /** A counter that a test sets, and one ICC register. */
    public static final class Port implements CpuPort {
        public static final int ICC_PMR = key(3, 0, 4, 6, 0);
        public long counter;
        public int programmed;
        public long pmr;

        @Override
        public long counter() {
            return counter;
        }

        @Override
        public void timerProgrammed() {
            programmed++;
        }

        @Override
        public void timerExpired() {
        }

        @Override
        public long readIcc(int key) {
            return pmr;
        }

        @Override
        public void writeIcc(int key, long value) {
            pmr = value;
        }

        @Override
        public boolean hasIcc(int key, boolean write) {
            return key == ICC_PMR;
        }
    }

    public SystemBoard() {
        for (long offset = 0; offset < RAM_SIZE; offset += 4096) {
            stage2.set(RAM + offset, Stage2Table.entry(pa(RAM + offset), Access.RWX, Access.RWX, 15));
        }
        mmu = new Mmu(s, stage2, memory, abort);
        CodeInvalidation code = new CodeInvalidation() {
            @Override
            public void invalidateCode(long hostLine) {
                events.add("code 0x%x".formatted(hostLine - memory.hostAddress(0)));
            }

            @Override
            public void invalidateAllCode() {
                events.add("all code");
            }
        };
        TlbBroadcast domain = (op, operand) -> events.add("tlbi %d 0x%x".formatted(op, operand));
        Set<String> features = Set.of("FEAT_LSE", "FEAT_CRC32", "FEAT_PAN", "FEAT_UAO", "FEAT_SSBS", "FEAT_DPB",
                "FEAT_HPDS", "FEAT_HAFDBS");
        registers = new SystemRegisters(s, mmu, port, control, new IdRegisters(features::contains), 1, undefined, code,
                domain);
        exceptions = new Exceptions(s, registers, mmu);
    }

    @Override
    public void close() {
        memory.close();
    }

    public static long pa(long ipa) {
        return ipa - RAM + (1 << 20);
    }

    public long host(long ipa) {
        if (ipa < RAM || ipa >= RAM + RAM_SIZE) {
            throw new AssertionError("0x%x is not RAM".formatted(ipa));
        }
        return memory.hostAddress(pa(ipa));
    }

    public long peek(long ipa) {
        return RAW.getLong(host(ipa));
    }

    public void poke(long ipa, long value) {
        RAW.putLong(host(ipa), value);
    }

    /** {@return a zeroed page for a table} */
    public long newTable() {
        nextTable -= 4096;
        RAW.zero(host(nextTable), 4096);
        return nextTable;
    }

    /** Writes a leaf for {@code va} at that level below a level-0 table, making the tables on the way. */
    public void map(long root, long va, long ipa, long attributes, int level) {
        long table = root;
        for (int at = 0; at < level; at++) {
            long slot = slot(table, va, at);
            if (peek(slot) == 0) {
                poke(slot, newTable() | 3);
            }
            table = peek(slot) & 0x0000_FFFF_FFFF_F000L;
        }
        poke(slot(table, va, level), ipa | attributes);
    }

    public void map(long root, long va, long ipa, long attributes) {
        map(root, va, ipa, attributes, 3);
    }

    /** {@return the IPA of the descriptor of {@code va} at that level} */
    public long descriptor(long root, long va, int level) {
        long table = root;
        for (int at = 0; at < level; at++) {
            table = peek(slot(table, va, at)) & 0x0000_FFFF_FFFF_F000L;
        }
        return slot(table, va, level);
    }

    private static long slot(long table, long va, int level) {
        return table + (va >>> 39 - 9 * level & 511) * 8;
    }

    /** Switches the MMU on with these roots; MAIR index 0 is Device-nGnRnE, 1 is normal write-back. */
    public void enable(long root0, long root1) {
        registers.write(MAIR, 0xFF00);
        registers.write(TCR, TCR_48);
        registers.write(TTBR0, root0);
        registers.write(TTBR1, root1);
        registers.write(SCTLR, SCTLR_RESET | 1);
    }

    public void el(int el) {
        s.switchStack(el, el);
        registers.contextChanged();
    }

    public void pan(boolean on) {
        s.pan = on;
        registers.contextChanged();
    }

    /** {@return the ISS of the stage-1 fault that the access takes} */
    public int stage1Iss(Runnable access) {
        Abort fault = fault(access);
        if (fault.stage2) {
            throw new AssertionError("stage-2 fault at 0x%x".formatted(fault.ipa));
        }
        return fault.iss;
    }

    /** {@return the fault that the access takes} */
    public Abort fault(Runnable access) {
        try {
            access.run();
        } catch (Abort fault) {
            return fault;
        }
        throw new AssertionError("no fault");
    }

    /** {@return the syndrome of the refused access} */
    public long esr(Runnable access) {
        try {
            access.run();
        } catch (UndefinedInstruction refused) {
            return refused.esr;
        }
        throw new AssertionError("not refused");
    }
}
