package gunyah.arm64;

import static gunyah.arm64.sysreg.SystemRegisters.key;

import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.translate.Translator;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * CPUs of one domain with RAM at address 0, IPA = PA, and stage 1 mapping VA = IPA as normal memory through one 1 GiB
 * block per gigabyte, readable, writable and executable at EL1. The top page of RAM holds the table.
 */
public final class FlatBoard implements AutoCloseable {
    private static final int HVC = 0xD400_0002;
    private static final int APART = 0x100;
    private static final int BRANCH_AHEAD = 0x1400_0000 | APART >> 2;
    private static final long VECTORS = 0x8_0000;
    private static final int TIMES = 4;
    private static final int SCTLR = key(3, 0, 1, 0, 0);
    private static final int CPACR = key(3, 0, 1, 0, 2);
    private static final int TTBR0 = key(3, 0, 2, 0, 0);
    private static final int TCR = key(3, 0, 2, 0, 2);
    private static final int VBAR = key(3, 0, 12, 0, 0);
    private static final int ELR = key(3, 0, 4, 0, 1);
    private static final int MAIR = key(3, 0, 10, 2, 0);

    public final PhysicalMemory memory;
    public final Stage2Table stage2 = new Stage2Table();
    public final List<Cpu> cpus = new ArrayList<>();
    public final InnerShareable domain;

    public FlatBoard(long ramBytes, int cpuCount) {
        this(ramBytes, cpuCount, null);
    }

    /** @param translator null for CPUs that only interpret */
    public FlatBoard(long ramBytes, int cpuCount, Translator translator) {
        this(ramBytes, cpuCount, translator, CpuFeatures.DEFAULT);
    }

    public FlatBoard(long ramBytes, int cpuCount, Translator translator, CpuFeatures features) {
        this(ramBytes, cpuCount, translator, features, false);
    }

    /** {@return a board whose CPUs are VMs of their own that share all memory} */
    public static FlatBoard ofVms(long ramBytes, int count, Translator translator) {
        return new FlatBoard(ramBytes, count, translator, CpuFeatures.DEFAULT, true);
    }

    private FlatBoard(long ramBytes, int cpuCount, Translator translator, CpuFeatures features, boolean apart) {
        memory = new PhysicalMemory(ramBytes);
        for (long page = 0; page < ramBytes; page += PhysicalMemory.PAGE_SIZE) {
            stage2.set(page, Stage2Table.entry(page, Access.RWX, Access.RWX, 15));
        }
        domain = new InnerShareable(features, translator);
        for (int i = 0; i < cpuCount; i++) {
            InnerShareable own = apart && i > 0 ? new InnerShareable(features, translator) : domain;
            Cpu cpu = new Cpu(new CpuConfig(1L << 31 | i, features), own, stage2, memory, new IdlePort(),
                    new VcpuControl());
            mapIdentity(cpu, stage2, memory, ramBytes - PhysicalMemory.PAGE_SIZE);
            cpus.add(cpu);
        }
    }

    /** {@return the only or first CPU} */
    public Cpu cpu() {
        return cpus.getFirst();
    }

    /** Turns the MMU of {@code cpu} on with VA = IPA, with a table that is written to the page {@code table}. */
    public static void mapIdentity(Cpu cpu, Stage2Table stage2, PhysicalMemory memory, long table) {
        stage2.set(table, Stage2Table.entry(table, Access.RWX, Access.RWX, 15));
        ByteBuffer entries = ByteBuffer.allocate(PhysicalMemory.PAGE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (long block = 0; block < 64; block++) {
            entries.putLong(block << 30 | 1 | 3 << 8 | 1 << 10);
        }
        memory.write(table, entries.array(), 0, PhysicalMemory.PAGE_SIZE);
        cpu.sys.write(MAIR, 0xFF);
        cpu.sys.write(TCR, 25 | 1 << 23 | 1L << 32);
        cpu.sys.write(TTBR0, table);
        cpu.sys.write(SCTLR, cpu.sys.read(SCTLR) | 1);
        cpu.sys.write(CPACR, 3 << 20);
    }

    /** Stores instruction words. */
    public void code(long at, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            bytes.putInt(word);
        }
        memory.write(at, bytes.array(), 0, bytes.capacity());
    }

    /** Runs the first CPU from {@code pc} for {@code instructions}. */
    public CpuExit.Kind run(long pc, long instructions) {
        cpu().s.pc = pc;
        return cpu().run(instructions);
    }

    /** Fills RAM with {@code HVC}, but for the table, and has exceptions go there: {@link #execute} stops anywhere. */
    public void fillWithStops() {
        int[] stops = new int[PhysicalMemory.PAGE_SIZE / 4];
        Arrays.fill(stops, HVC);
        for (long page = 0; page < memory.sizeBytes() - PhysicalMemory.PAGE_SIZE; page += PhysicalMemory.PAGE_SIZE) {
            code(page, stops);
        }
        cpu().sys.write(VBAR, VECTORS);
    }

    /**
     * Executes the word at {@code at} on the first CPU as it is now, and leaves it before the next instruction; that of
     * an exception is the one in ELR_EL1. There must be {@link #fillWithStops stops}. The word is branched to several
     * times, from equal registers and at the start of a long run, so that a translator that makes what is jumped to twice
     * has made it; what counts is the last time, but memory is changed each time.
     */
    public void execute(long at, int word) {
        code(at - APART, BRANCH_AHEAD);
        code(at, word);
        domain.invalidateAllCode();
        CpuState before = new CpuState();
        before.copyFrom(cpu().s);
        for (int time = 0; time < TIMES; time++) {
            before.retired = cpu().s.retired;
            cpu().s.copyFrom(before);
            cpu().sys.contextChanged();
            CpuExit.Kind kind = run(at - APART, Integer.MAX_VALUE);
            if (kind != CpuExit.Kind.HYPERCALL) {
                throw new AssertionError("%08x ended with %s".formatted(word, kind));
            }
        }
        long next = cpu().s.pc - 4;
        cpu().s.pc = next >= VECTORS && next < VECTORS + 0x800 ? cpu().sys.read(ELR) : next;
    }

    @Override
    public void close() {
        memory.close();
    }
}
