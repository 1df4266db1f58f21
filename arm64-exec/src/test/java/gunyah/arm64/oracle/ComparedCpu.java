package gunyah.arm64.oracle;

import static gunyah.arm64.sysreg.SystemRegisters.key;

import gunyah.arm64.Cpu;
import gunyah.arm64.CpuConfig;
import gunyah.arm64.IdlePort;
import gunyah.arm64.InnerShareable;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.interp.CodePage;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.translate.HotCode;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.Translator;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/** Our CPU on the memory map of {@link InstructionOracle}, and the comparison of its state with a result. */
final class ComparedCpu implements AutoCloseable {
    private static final long VBAR = 0x7000_0000L;
    private static final long LEVEL_1 = 0x4010_0000L;
    private static final long LEVEL_2 = 0x4010_1000L;
    private static final int EC_UNKNOWN = 0;
    private static final int EC_INSTRUCTION_ABORT = 0x21;
    private static final int EC_PC_ALIGNMENT = 0x22;
    private static final int ALIGNMENT = 0x21;
    private static final int TRANSLATION = 0x04;
    private static final int HVC = 0xD400_0002;
    /** The branch at an address back into the oracle's program. */
    private static final IntUnaryOperator RETURN = at -> 0x1400_0000 | 0x4020_0800 - at >> 2 & 0x3FF_FFFF;

    private final PhysicalMemory memory = new PhysicalMemory(1L << 27);
    private final Stage2Table stage2 = new Stage2Table();
    private final Cpu cpu;
    private final byte[] after = new byte[InstructionOracle.BUFFER_BYTES];
    private final int[] acceptedCounts;
    private long nextPage;
    private boolean strayed;

    /**
     * @param tcr            bits of TCR_EL1 beside the usual ones
     * @param acceptedCounts counts the accepted differences, by ordinal
     */
    ComparedCpu(CpuFeatures features, List<Case> cases, long tcr, int[] acceptedCounts) {
        this(features, null, cases, RETURN, tcr, acceptedCounts);
    }

    private ComparedCpu(CpuFeatures features, Translator translator, List<Case> cases, IntUnaryOperator last, long tcr,
            int[] acceptedCounts) {
        this.acceptedCounts = acceptedCounts;
        CpuConfig config = new CpuConfig(1L << 31, features);
        cpu = new Cpu(config, new InnerShareable(features, translator), stage2, memory, new IdlePort(),
                new VcpuControl());
        for (long page = InstructionOracle.CODE; page < InstructionOracle.CODE_END; page += 4096) {
            back(page);
        }
        for (long page : new long[] {InstructionOracle.BUFFER, InstructionOracle.BUFFER + 256,
            InstructionOracle.READ_ONLY_BLOCK, InstructionOracle.UNMAPPED_BLOCK - 1,
            LEVEL_1, LEVEL_2}) {
            back(page & -4096);
        }
        ByteBuffer block = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        for (Case c : cases) {
            block.clear().putInt(0xA94EFBDD).putInt(c.word()).putInt(last.applyAsInt((int) c.address() + 8));
            write(c.address(), block.array());
        }
        translation(tcr);
    }

    /** A CPU for cases that branch to programs in {@code code}, which is at {@link InstructionOracle#SPARSE_CODE}. */
    static ComparedCpu ofPrograms(CpuFeatures features, Translator translator, List<Case> cases, byte[] code,
            long tcr) {
        ComparedCpu compared = new ComparedCpu(features, translator, cases, at -> HVC, tcr,
                new int[AcceptedDifference.values().length]);
        compared.write(InstructionOracle.SPARSE_CODE, code);
        return compared;
    }

    private void back(long ipa) {
        if (!Stage2Table.isValid(stage2.lookup(ipa))) {
            stage2.set(ipa, Stage2Table.entry(nextPage, Access.RWX, Access.RWX, 15));
            nextPage += 4096;
        }
    }

    private long pa(long ipa) {
        return Stage2Table.pa(stage2.lookup(ipa)) | ipa & 4095;
    }

    private void write(long ipa, byte[] bytes) {
        for (int at = 0; at < bytes.length;) {
            int count = (int) Math.min(bytes.length - at, 4096 - (ipa + at & 4095));
            memory.write(pa(ipa + at), bytes, at, count);
            at += count;
        }
    }

    private void read(long ipa, byte[] bytes) {
        for (int at = 0; at < bytes.length;) {
            int count = (int) Math.min(bytes.length - at, 4096 - (ipa + at & 4095));
            memory.read(pa(ipa + at), bytes, at, count);
            at += count;
        }
    }

    private void translation(long tcr) {
        ByteBuffer level2 = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = 0x4000_0000L; at < 0x8000_0000L; at += 0x20_0000) {
            level2.putLong(at == InstructionOracle.BUFFER_BLOCK ? at | 0x741
                    : at == InstructionOracle.READ_ONLY_BLOCK ? at | 0x7C1
                    : at == InstructionOracle.UNMAPPED_BLOCK ? 0 : at | 0x701);
        }
        write(LEVEL_2, level2.array());
        write(LEVEL_1, ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(8, LEVEL_2 | 3).array());
        cpu.sys.write(key(3, 0, 2, 0, 0), LEVEL_1);
        cpu.sys.write(key(3, 0, 10, 2, 0), 0xFF);
        cpu.sys.write(key(3, 0, 2, 0, 2), InstructionOracle.TCR | tcr);
        for (int k = 0; k < InstructionOracle.KEYS.length; k++) {
            cpu.sys.write(key(3, 0, 2, 1 + k / 4, k % 4), InstructionOracle.KEYS[k]);
        }
        cpu.sys.write(key(3, 0, 12, 0, 0), VBAR);
        cpu.sys.write(key(3, 0, 1, 0, 2), 3 << 20);
        cpu.sys.write(key(3, 0, 1, 0, 0), InstructionOracle.SCTLR);
    }

    /** Executes the case on its state. */
    void run(Case c, ByteBuffer states, byte[] buffer) {
        load(c, states, buffer);
        cpu.run(1);
    }

    private void load(Case c, ByteBuffer states, byte[] buffer) {
        write(InstructionOracle.BUFFER, buffer);
        int at = c.state() * InstructionOracle.STATE_BYTES;
        CpuState s = cpu.s;
        for (int x = 0; x < 32; x++) {
            s.x[x] = states.getLong(at + 8 * x);
        }
        s.nzcv = (int) states.getLong(at + InstructionOracle.NZCV);
        s.fpcr = (int) states.getLong(at + InstructionOracle.FPCR);
        s.fpsr = (int) states.getLong(at + InstructionOracle.FPSR);
        for (int half = 0; half < 64; half++) {
            s.v[half] = states.getLong(at + InstructionOracle.V + 8 * half);
        }
        for (int k = 0; k < c.patches().length; k += 2) {
            int register = (int) c.patches()[k];
            if (register < 32) {
                s.x[register] = c.patches()[k + 1];
            }
        }
        s.btype = 0;
        s.exclusiveHost = 0;
        s.pc = c.pc();
    }

    /** As {@link #run}, by the semantics method alone; only for what does not fault. */
    void runSemantics(Case c, Insn insn, ByteBuffer states, byte[] buffer) {
        load(c, states, buffer);
        insn.semantics.execute(cpu, insn);
        if (!insn.row.branches()) {
            cpu.s.pc += 4;
        }
    }

    /** A page where nothing else is. */
    private record Instruction(Insn[] instructions) implements HotCode {
        @Override
        public short[] jumpedFrom() {
            return new short[CodePage.SLOTS];
        }

        @Override
        public boolean isTranslated(int slot) {
            return false;
        }
    }

    /**
     * As {@link #run}, by a region of this one instruction; what it leaves to the interpreter, that does.
     *
     * @param translator translates at once
     * @return whether the region did it
     */
    boolean runTranslated(Case c, Insn insn, Translator translator, ByteBuffer states, byte[] buffer) {
        load(c, states, buffer);
        int slot = (int) c.pc() >>> 2 & CodePage.SLOTS - 1;
        Insn[] page = new Insn[CodePage.SLOTS];
        page[slot] = insn;
        translator.request(new Instruction(page), slot, 1, true);
        Region region = translator.find(cpu.mmu.hostForFetch(c.pc()) & -4096, slot, c.word());
        long before = cpu.s.retired;
        try {
            region.run(cpu, c.pc() & -4096, slot, before + 1);
        } catch (Abort | UndefinedInstruction reason) {
            // the state is that before the instruction
        }
        boolean done = cpu.s.retired != before;
        if (!done) {
            cpu.run(1);
        }
        return done;
    }

    /**
     * Executes the program of the case to its end, or to an exception.
     *
     * @param start where the words of {@code program} begin
     * @return how many instructions that were
     */
    long runProgram(Case c, long start, byte[] program, ByteBuffer states, byte[] buffer, long most) {
        load(c, states, buffer);
        long before = cpu.s.retired;
        CpuExit.Kind kind = cpu.run(most);
        byte[] now = new byte[program.length];
        read(start, now);
        strayed = kind == CpuExit.Kind.STAGE2_FAULT && cpu.exit.access != Access.X || !Arrays.equals(now, program);
        if (kind != CpuExit.Kind.HYPERCALL && !faulted() && !strayed) {
            throw new AssertionError("program of 0x%x ends with %s at 0x%x".formatted(c.address(), kind, cpu.s.pc));
        }
        return cpu.s.retired - before;
    }

    /**
     * {@return whether the last program cannot be compared: it ended at an address that stage 1 maps and that has no
     * memory here, where QEMU's machine may have some; or its code was changed, which QEMU sees without maintenance}
     */
    boolean strayed() {
        return strayed;
    }

    /** {@return what differs after a program; empty when nothing does} */
    String programDifference(ByteBuffer expected) {
        StringBuilder report = new StringBuilder();
        boolean faulted = faulted();
        long theirs = expected.getLong(InstructionOracle.ESR);
        long ours = faulted ? cpu.sys.read(key(3, 0, 5, 2, 0)) : 0;
        // what must be aligned is checked before it is translated (priority of Data Aborts); QEMU translates first
        boolean misaligned = (ours & 0x3F) == ALIGNMENT && (theirs & 0x3C) == TRANSLATION;
        note(report, "ESR", misaligned ? theirs & ~0x3F | ALIGNMENT : theirs, ours);
        if (faulted) {
            note(report, "ELR", expected.getLong(InstructionOracle.ELR), cpu.sys.read(key(3, 0, 4, 0, 1)));
            note(report, "SPSR", expected.getLong(InstructionOracle.SPSR), cpu.sys.read(key(3, 0, 4, 0, 0)));
            note(report, "FAR", expected.getLong(InstructionOracle.FAR), cpu.sys.read(key(3, 0, 6, 0, 0)));
        }
        compareRegisters(expected, report);
        for (int half = 0; half < 64; half++) {
            note(report, "V%d.%d".formatted(half / 2, half % 2), expected.getLong(InstructionOracle.V + 8 * half),
                    cpu.s.v[half]);
        }
        compareBuffer(expected, report);
        return report.toString();
    }

    /** {@return whether the last run ended in an exception} */
    boolean faulted() {
        return cpu.s.pc == VBAR + 0x200;
    }

    /** {@return what differs between our state and {@code expected}; empty when nothing does} */
    String difference(Case c, ByteBuffer expected) {
        StringBuilder report = new StringBuilder();
        CpuState s = cpu.s;
        boolean faulted = faulted();
        long syndrome = faulted ? cpu.sys.read(key(3, 0, 5, 2, 0)) : 0;
        if (syndrome != expected.getLong(InstructionOracle.ESR)) {
            Optional<AcceptedDifference> accepted = AcceptedDifference.of(c, faulted);
            if (accepted.isPresent()) {
                acceptedCounts[accepted.get().ordinal()]++;
                return "";
            }
        }
        compareException(c, expected, faulted, report);
        compareRegisters(expected, report);
        // what a load of several registers has written before it faults is UNKNOWN
        boolean partial = faulted && c.row().name().matches("LD[1-4].*|LDN?P_fp.*");
        for (int half = 0; half < 64 && !partial; half++) {
            long wanted = expected.getLong(InstructionOracle.V + 8 * half);
            if (c.row().name().matches(AcceptedDifference.HALF_FIXED_POINT_IS_16_BITS.rows())
                    && half == 2 * (c.word() & 31) && wanted != (wanted & 0xFFFF)) {
                acceptedCounts[AcceptedDifference.HALF_FIXED_POINT_IS_16_BITS.ordinal()]++;
                wanted &= 0xFFFF;
            }
            if (wanted != s.v[half]) {
                note(report, "V%d.%d".formatted(half / 2, half % 2), wanted, s.v[half]);
            }
        }
        if (!faulted) {
            compareBuffer(expected, report);
        }
        return report.toString();
    }

    private void compareRegisters(ByteBuffer expected, StringBuilder report) {
        CpuState s = cpu.s;
        boolean qemuFaulted = expected.getLong(InstructionOracle.ESR) != 0;
        for (int x = 0; x < 32; x++) {
            note(report, "X" + x, expected.getLong(8 * x), s.x[x]);
        }
        // QEMU clears the flags on exception entry; SPSR has what they were
        note(report, "NZCV", qemuFaulted ? expected.getLong(InstructionOracle.SPSR) & 0xF000_0000L
                : expected.getLong(InstructionOracle.NZCV), s.nzcv & 0xFFFF_FFFFL);
        // QEMU keeps the fields of AArch32: Stride, Len and the flags
        note(report, "FPCR", expected.getLong(InstructionOracle.FPCR) & ~0x0037_0000L, s.fpcr & 0xFFFF_FFFFL);
        note(report, "FPSR", expected.getLong(InstructionOracle.FPSR) & 0x0800_009FL, s.fpsr & 0xFFFF_FFFFL);
        note(report, "zero", 0, s.x[CpuState.ZR_READ]);
    }

    private void compareBuffer(ByteBuffer expected, StringBuilder report) {
        read(InstructionOracle.BUFFER, after);
        ByteBuffer actual = ByteBuffer.wrap(after).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < after.length; k += 8) {
            long wanted = expected.getLong(InstructionOracle.STATE_BYTES + k);
            if (wanted != actual.getLong(k)) {
                note(report, "[%d]".formatted(k), wanted, actual.getLong(k));
            }
        }
    }

    private void compareException(Case c, ByteBuffer expected, boolean faulted, StringBuilder report) {
        long esr = expected.getLong(InstructionOracle.ESR);
        long elr = expected.getLong(InstructionOracle.ELR);
        int ec = (int) (esr >>> 26) & 63;
        boolean branched = esr != 0 && elr != c.pc()
                && (ec == EC_UNKNOWN || ec == EC_INSTRUCTION_ABORT || ec == EC_PC_ALIGNMENT);
        if (!faulted) {
            note(report, "PC", esr == 0 ? c.pc() + 4 : branched ? elr : -1, cpu.s.pc);
            if (esr != 0 && !branched) {
                report.append("QEMU raises %08x; ".formatted(esr));
            }
            return;
        }
        long ours = cpu.sys.read(key(3, 0, 5, 2, 0));
        note(report, "ESR", branched ? 0 : esr, ours);
        note(report, "ELR", elr, cpu.sys.read(key(3, 0, 4, 0, 1)));
        note(report, "SPSR", expected.getLong(InstructionOracle.SPSR), cpu.sys.read(key(3, 0, 4, 0, 0)));
        int kind = (int) (ours >>> 26) & 63;
        if (kind == 0x25 || kind == EC_INSTRUCTION_ABORT || kind == EC_PC_ALIGNMENT) {
            note(report, "FAR", expected.getLong(InstructionOracle.FAR), cpu.sys.read(key(3, 0, 6, 0, 0)));
        }
    }

    private static void note(StringBuilder report, String where, long expected, long actual) {
        if (expected != actual) {
            report.append("%s is %016x, not %016x; ".formatted(where, actual, expected));
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
