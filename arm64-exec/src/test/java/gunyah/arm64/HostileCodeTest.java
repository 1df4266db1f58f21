package gunyah.arm64;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
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
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random words executed as code at EL0 and EL1, in random system state: tables, control registers, PSTATE, interrupts.
 * Whatever the guest does, no Java exception leaves the CPU, it comes back within its budget, and no byte changes that
 * stage 2 does not let it write. {@code -Dhostile.words=N} (10,000,000 in the long run) and {@code -Dhostile.seed=S}.
 */
class HostileCodeTest {
    private static final int WORDS = Integer.getInteger("hostile.words", 600_000);
    private static final long SEED = Long.getLong("hostile.seed", 20_261_125);

    private static final int PAGE = PhysicalMemory.PAGE_SIZE;
    private static final int PAGE_WORDS = PAGE / 4;
    /** Words between two new states. */
    private static final int ROUND = 64;
    /** Instructions of a run that nobody brings back on the way. */
    private static final int WILD = 512;

    /** The guest's IPAs begin at 0 and are at this PA: it must never be reachable under another name. */
    private static final int GUEST_PA = 1 << 20;
    private static final int GUEST_SIZE = 1 << 20;
    private static final int MEMORY_SIZE = 3 << 20;
    private static final int CODE = 0x4000;
    private static final int VECTORS = 0x8000;
    private static final int TABLES = 0x1_0000;
    private static final int TABLES_SIZE = 0x1_0000;
    /** From here on the guest may only read, then only execute. */
    private static final int READ_ONLY = 0x8_0000;
    private static final int EXECUTE_ONLY = 0x8_8000;
    private static final int ABSENT = 0x9_0000;
    private static final int WRITABLE_AGAIN = 0xA_0000;

    private static final int[] CONTROLS = {
        key(3, 0, 1, 0, 0), key(3, 0, 2, 0, 2), key(3, 0, 2, 0, 0), key(3, 0, 2, 0, 1), key(3, 0, 10, 2, 0),
        key(3, 0, 12, 0, 0), key(3, 0, 1, 0, 2), key(3, 0, 14, 1, 0), key(2, 0, 0, 2, 2), key(3, 0, 13, 0, 1),
        key(3, 3, 14, 2, 1), key(3, 3, 14, 3, 1), key(3, 3, 14, 3, 2), key(3, 0, 4, 0, 0), key(3, 0, 4, 0, 1)};
    private static final int SCTLR = CONTROLS[0];
    private static final int TCR = CONTROLS[1];
    private static final int TTBR0 = CONTROLS[2];
    private static final int VBAR = CONTROLS[5];
    private static final int CPACR = CONTROLS[6];

    private final List<InstructionRow> rows = Decoder.rows();
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final PhysicalMemory memory = new PhysicalMemory(MEMORY_SIZE);
    private final Stage2Table stage2 = new Stage2Table();
    private final byte[] before = new byte[MEMORY_SIZE];
    private final int[] exits = new int[CpuExit.Kind.values().length];
    private Cpu cpu;
    private InnerShareable domain;

    @Test
    void theInterpreterSurvivesAnyCode() {
        survives(WORDS, null, CpuFeatures.DEFAULT);
    }

    @Test
    void theInterpreterWithEveryFeatureSurvivesAnyCode() {
        survives(WORDS, null, CpuFeatures.MAX);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "INTERPRETED")
    void translatedCodeSurvivesAnyCode(Tier tier) {
        Translator translator = tier.translator();
        survives(WORDS / 20, translator, CpuFeatures.DEFAULT);
        tier.check(translator);
    }

    private void survives(int words, Translator translator, CpuFeatures features) {
        try (memory) {
            domain = new InnerShareable(features, translator);
            cpu = new Cpu(new CpuConfig(1L << 31, features), domain, stage2, memory, new IdlePort(),
                    new VcpuControl());
            fillMemory();
            int done = 0;
            while (done < words) {
                fillCode();
                for (int word = 0; word < PAGE_WORDS; word++, done++) {
                    if (word % ROUND == 0) {
                        newState(done);
                    }
                    oneWord(CODE + 4 * word, done);
                }
                newState(done);
                wild(done);
                if (done / PAGE_WORDS % 16 == 0) {
                    checkMemory(done);
                }
            }
            checkMemory(done);
            assertThat(exits[CpuExit.Kind.STAGE2_FAULT.ordinal()]).as("stage-2 faults").isPositive();
            assertThat(exits[CpuExit.Kind.HYPERCALL.ordinal()]).as("hypercalls").isPositive();
            assertThat(exits[CpuExit.Kind.BUDGET.ordinal()]).as("budgets used up").isGreaterThan(words / 8);
        }
    }

    private void fillMemory() {
        random.nextBytes(before);
        memory.write(0, before, 0, MEMORY_SIZE);
        for (int ipa = 0; ipa < GUEST_SIZE; ipa += PAGE) {
            int access = ipa < READ_ONLY || ipa >= WRITABLE_AGAIN ? Access.RWX
                    : ipa < EXECUTE_ONLY ? Access.RX : Access.X;
            if (ipa < ABSENT || ipa >= WRITABLE_AGAIN) {
                stage2.set(ipa, Stage2Table.entry(GUEST_PA + ipa, access, access, 15));
            }
        }
    }

    /** One page of code, new tables, and vectors that skip what faulted. */
    private void fillCode() {
        ByteBuffer code = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        while (code.hasRemaining()) {
            code.putInt(word());
        }
        put(CODE, code.array());
        ByteBuffer tables = ByteBuffer.allocate(TABLES_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        while (tables.hasRemaining()) {
            tables.putLong(descriptor());
        }
        put(TABLES, tables.array());
        // the first table maps VA = IPA with a block of 1 GiB, executable at EL0 or at EL1
        ByteBuffer identity = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        identity.putLong(1 | 1 << 10 | 3 << 8).putLong(1 | 1 << 10 | 1 << 6);
        put(TABLES, Arrays.copyOfRange(identity.array(), 0, 8));
        put(TABLES + PAGE, Arrays.copyOfRange(identity.array(), 8, 16));
        ByteBuffer handler = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        // mrs x26, elr_el1; add x26, x26, #4; msr elr_el1, x26; eret
        handler.putInt(0xD538_403A).putInt(0x9100_135A).putInt(0xD518_403A).putInt(0xD69F_03E0);
        for (int vector = 0; vector < 0x800; vector += 0x80) {
            put(VECTORS + vector, handler.array());
        }
        domain.invalidateAllCode();
    }

    private void put(int ipa, byte[] bytes) {
        memory.write(GUEST_PA + ipa, bytes, 0, bytes.length);
    }

    private int word() {
        if (random.nextInt(4) == 0) {
            return random.nextInt();
        }
        InstructionRow row = rows.get(random.nextInt(rows.size()));
        return row.value() | random.nextInt() & ~row.mask();
    }

    private long descriptor() {
        long descriptor = random.nextLong();
        if (random.nextInt(4) != 0) {
            descriptor = descriptor & ~0x0000_FFFF_FFFF_F000L | random.nextInt(GUEST_SIZE) & -PAGE;
        }
        return random.nextInt(8) != 0 ? descriptor | 3 : descriptor;
    }

    private long address() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextLong();
            case 1 -> -random.nextInt(1 << 20);
            case 2 -> (long) random.nextInt(256) << 56 | random.nextInt(GUEST_SIZE);
            case 3 -> random.nextInt(READ_ONLY - 64, WRITABLE_AGAIN + 64);
            case 4 -> GUEST_PA + random.nextInt(MEMORY_SIZE);
            default -> random.nextInt(GUEST_SIZE + 64) & -(1L << random.nextInt(5));
        };
    }

    private void newState(int done) {
        cpu.reset(CODE, 0);
        cpu.control.take();
        for (int i = 0; i <= 31; i++) {
            cpu.x[i] = address();
        }
        for (int i = 0; i < 64; i++) {
            cpu.v[i] = random.nextLong();
        }
        CpuState s = cpu.s;
        s.fpcr = random.nextInt() & 0x07C8_0000;
        s.nzcv = random.nextInt() & 0xF000_0000;
        s.daif = random.nextInt() & 0x3C0;
        s.uao = random.nextInt(4) == 0;
        s.ssbs = random.nextBoolean();
        cpu.control.irqLine = random.nextInt(8) == 0;
        cpu.control.fiqLine = random.nextInt(16) == 0;
        if (random.nextInt(16) == 0) {
            cpu.control.pendSerror(random.nextInt());
        }
        write(VBAR, random.nextInt(8) == 0 ? address() : VECTORS);
        write(CPACR, random.nextInt(8) == 0 ? random.nextLong() : 3 << 20);
        boolean user = random.nextBoolean();
        if (random.nextInt(3) != 0) {
            write(TTBR0, TABLES + (user ? PAGE : 0));
            write(TCR, 25 | 1 << 23 | 1L << 32);
            write(key(3, 0, 10, 2, 0), 0xFF);
            write(SCTLR, cpu.sys.read(SCTLR) | 1 | random.nextInt(4) << 1);
        }
        for (int changes = random.nextInt(3) == 0 ? random.nextInt(6) : 0; changes > 0; changes--) {
            int control = CONTROLS[random.nextInt(CONTROLS.length)];
            write(control, control == SCTLR ? cpu.sys.read(SCTLR) ^ random.nextLong() & random.nextLong()
                    : random.nextBoolean() ? TABLES + random.nextInt(TABLES_SIZE) : random.nextLong());
        }
        s.pan = random.nextInt(4) == 0;
        cpu.s.switchStack(user ? 0 : 1, random.nextInt(2));
        cpu.sys.contextChanged();
    }

    private void write(int key, long value) {
        cpu.sys.write(key, value);
    }

    private void oneWord(long pc, int done) {
        int el = cpu.s.el;
        cpu.s.pc = pc;
        run(1 + random.nextInt(2), done);
        if (cpu.s.el != el) {
            cpu.s.switchStack(el, random.nextInt(2));
            cpu.sys.contextChanged();
        }
    }

    private void wild(int done) {
        cpu.s.pc = CODE + 4L * random.nextInt(PAGE_WORDS);
        for (int exit = 0; exit < 32; exit++) {
            run(WILD, done);
        }
    }

    private void run(int budget, int done) {
        long pc = cpu.s.pc;
        long retired = cpu.s.retired;
        CpuExit.Kind kind;
        try {
            kind = cpu.run(budget);
            answer(kind);
        } catch (RuntimeException | Error defect) {
            throw new AssertionError("word %d of seed %d, pc 0x%x, %s".formatted(done, SEED, pc, code(pc)), defect);
        }
        exits[kind.ordinal()]++;
        CpuState s = cpu.s;
        // an exception counts as one more, and an exit may leave before the first
        if (s.retired < retired || s.retired > retired + budget + 1 || s.x[CpuState.ZR_READ] != 0
                || (s.nzcv & 0x0FFF_FFFF) != 0 || (s.daif & ~0x3C0) != 0 || s.el < 0 || s.el > 1) {
            fail("word %d of seed %d, pc 0x%x, %s: broken state, %d retired", done, SEED, pc, code(pc),
                    s.retired - retired);
        }
    }

    private void answer(CpuExit.Kind kind) {
        switch (kind) {
            case STAGE2_FAULT -> {
                if (cpu.exit.isv && random.nextBoolean()) {
                    if (cpu.exit.access == Access.W) {
                        cpu.completeMmioWrite();
                    } else {
                        cpu.completeMmioRead(random.nextLong());
                    }
                } else {
                    cpu.injectExternalAbort();
                }
            }
            case HYPERCALL -> cpu.setRegister(random.nextInt(31), address());
            case EXCEPTION_LOOP -> newState(0);
            default -> {
            }
        }
    }

    private String code(long pc) {
        if (pc < CODE || pc >= CODE + PAGE) {
            return "outside the code";
        }
        byte[] bytes = new byte[4];
        memory.read(GUEST_PA + pc, bytes, 0, 4);
        int word = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
        return "%08x %s".formatted(word, Decoder.of(CpuFeatures.MAX).classify(word).name());
    }

    private void checkMemory(int done) {
        byte[] now = new byte[MEMORY_SIZE];
        memory.read(0, now, 0, MEMORY_SIZE);
        int[][] ranges = {{0, GUEST_PA}, {GUEST_PA + READ_ONLY, GUEST_PA + WRITABLE_AGAIN},
            {GUEST_PA + GUEST_SIZE, MEMORY_SIZE}};
        for (int[] range : ranges) {
            int at = Arrays.mismatch(before, range[0], range[1], now, range[0], range[1]);
            if (at >= 0) {
                fail("before word %d of seed %d: PA 0x%x changed", done, SEED, range[0] + at);
            }
        }
    }
}
