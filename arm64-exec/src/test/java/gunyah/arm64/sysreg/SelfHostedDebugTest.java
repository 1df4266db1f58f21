package gunyah.arm64.sysreg;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.translate.Translator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Debug exceptions at EL1, beside what the debug guest compares with QEMU. */
@ParameterizedClass
@EnumSource(Tier.class)
class SelfHostedDebugTest {
    private static final long CODE = 0x1000;
    private static final long VECTORS = 0x8000;
    private static final long DATA = 0x2_0000;
    private static final long DEVICE = 0x3000_0000;
    private static final int NOP = 0xD503201F;
    private static final int HVC = 0xD4000022;
    private static final int ESR = key(3, 0, 5, 2, 0);
    private static final int FAR = key(3, 0, 6, 0, 0);
    private static final int ELR = key(3, 0, 4, 0, 1);
    private static final int SPSR = key(3, 0, 4, 0, 0);
    private static final int VBAR = key(3, 0, 12, 0, 0);
    private static final int CONTEXTIDR = key(3, 0, 13, 0, 1);
    private static final int MDSCR = key(2, 0, 0, 2, 2);
    private static final int OSLAR = key(2, 0, 1, 0, 4);
    private static final long SS = 1;
    private static final long KDE = 1 << 13;
    private static final long MDE = 1 << 15;
    /** Enabled, at EL1, all bytes of an instruction. */
    private static final long BREAK = 0x1E3;
    /** Enabled, at EL1, loads and stores, 8 bytes. */
    private static final long WATCH = 0x1FFB;

    @Parameter
    private Tier tier;
    private Translator translator;
    private FlatBoard board;
    private Cpu cpu;

    @BeforeEach
    void setUp() {
        translator = tier.translator();
        board = new FlatBoard(1 << 20, 1, translator);
        cpu = board.cpu();
        cpu.sys.write(VBAR, VECTORS);
        board.code(VECTORS + 0x200, HVC);
        cpu.sys.write(OSLAR, 0);
        cpu.s.daif = 0;
    }

    @AfterEach
    void tearDown() {
        board.close();
        tier.agrees(translator);
    }

    private static int value(int n) {
        return key(2, 0, 0, n, 4);
    }

    private static int control(int n) {
        return key(2, 0, 0, n, 5);
    }

    private void watch(long address, long control) {
        cpu.sys.write(key(2, 0, 0, 0, 6), address);
        cpu.sys.write(key(2, 0, 0, 0, 7), control);
        cpu.sys.write(MDSCR, MDE | KDE);
    }

    /** Runs until the vector's or the code's HVC. {@return class of the exception, 0 for none} */
    private int run() {
        cpu.sys.write(ESR, 0);
        cpu.s.daif = 0;
        assertThat(board.run(CODE, 100)).isEqualTo(CpuExit.Kind.HYPERCALL);
        return (int) (cpu.sys.read(ESR) >>> 26);
    }

    @Test
    void theIdentityTellsHowManyThereAre() {
        assertThat(cpu.sys.read(key(3, 0, 0, 5, 0))).isEqualTo(0x1030_5106);
        for (int n = 0; n < 6; n++) {
            cpu.sys.write(value(n), 0x1234_5678L + n);
            assertThat(cpu.sys.read(value(n))).isEqualTo(0x1234_5678L + n);
        }
    }

    @Test
    void theOperatingSystemLockHoldsBack() {
        board.code(CODE, NOP, NOP, HVC);
        cpu.sys.write(value(2), CODE + 4);
        cpu.sys.write(control(2), BREAK);
        cpu.sys.write(MDSCR, MDE | KDE | SS);
        cpu.sys.write(OSLAR, 1);
        assertThat(run()).isZero();

        cpu.sys.write(OSLAR, 0);
        cpu.sys.write(MDSCR, MDE | KDE);
        assertThat(run()).isEqualTo(0x31);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 4);
    }

    @Test
    void aBreakpointMayNameAContext() {
        board.code(CODE, NOP, HVC);
        cpu.sys.write(value(5), 0x42);
        cpu.sys.write(control(5), BREAK | 2 << 20);
        cpu.sys.write(MDSCR, MDE | KDE);
        assertThat(run()).isZero();
        cpu.sys.write(CONTEXTIDR, 0x42);
        assertThat(run()).isEqualTo(0x31);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE);

        cpu.sys.write(control(5), 0);
        cpu.sys.write(value(3), 0x42);
        cpu.sys.write(control(3), BREAK | 2 << 20);
        assertThat(run()).as("one that knows no contexts").isZero();
    }

    @Test
    void aFetchThatAbortsComesBeforeTheBreakpoint() {
        board.code(CODE, 0xD61F0000); // br x0
        cpu.x[0] = DEVICE + 0x10;
        cpu.sys.write(value(0), 0x10_0000_0000L);
        cpu.sys.write(control(0), BREAK);
        cpu.sys.write(MDSCR, MDE | KDE);
        cpu.x[0] = 0x10_0000_0000L;
        assertThat(run()).isEqualTo(0x21);
    }

    @Test
    void exclusivesAndAtomicsAreWatchedOnce() {
        watch(DATA, WATCH);
        cpu.x[0] = DATA;
        board.code(CODE, 0xC85F7C01, HVC); // ldxr x1, [x0]
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.sys.read(ESR) & 0x7F).isEqualTo(0x22);

        board.code(CODE, 0xF8210002, HVC); // ldadd x1, x2, [x0]
        cpu.domain.invalidateAllCode();
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.sys.read(ESR) & 0x7F).as("an atomic counts as a load first").isEqualTo(0x22);

        watch(DATA, WATCH & ~8L);
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.sys.read(ESR) & 0x7F).isEqualTo(0x62);
        assertThat(cpu.sys.read(FAR)).isEqualTo(DATA);
    }

    @Test
    void aStoreThatIsWatchedDoesNotHappen() {
        watch(DATA + 8, WATCH & ~8L);
        cpu.x[0] = DATA;
        cpu.x[1] = -1;
        for (int word : new int[] {0xF9000401, 0xD50B7420}) { // str x1, [x0, #8]; dc zva, x0
            board.memory.write(DATA + 8, new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, 0, 8);
            board.code(CODE, word, HVC);
            cpu.domain.invalidateAllCode();
            assertThat(run()).isEqualTo(0x35);
            byte[] after = new byte[8];
            board.memory.read(DATA + 8, after, 0, 8);
            assertThat(after).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        }
    }

    @Test
    void anAccessAcrossPagesIsSeenInBoth() {
        cpu.x[0] = DATA + 4093;
        board.code(CODE, 0xF9400001, HVC); // ldr x1, [x0]
        watch(DATA + 4096, WATCH);
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.sys.read(FAR)).isEqualTo(DATA + 4096);
        watch(DATA + 4088, WATCH);
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.sys.read(FAR)).isEqualTo(DATA + 4093);
        watch(DATA + 4104, WATCH);
        assertThat(run()).isZero();
    }

    @Test
    void oneWatchedPageLeavesItsNeighboursAndOtherBytesAlone() {
        board.code(CODE, 0xF9400001, 0xF9400402, 0xF9000801, HVC); // ldr x1, [x0]; ldr x2, [x0, #8]; str x1, [x0, #16]
        cpu.x[0] = DATA;
        watch(DATA + 24, WATCH);
        assertThat(run()).isZero();
        watch(DATA + 16, WATCH & ~16L);
        assertThat(run()).as("a store is no load").isZero();
        cpu.sys.write(MDSCR, KDE);
        cpu.sys.write(key(2, 0, 0, 0, 6), DATA);
        assertThat(run()).isZero();
    }

    /** Steps by an exception return from a masked context, as a debugger at EL1 does. */
    private void step(long pc) {
        board.code(CODE, 0xD69F03E0); // eret
        cpu.sys.write(ELR, pc);
        cpu.sys.write(SPSR, 1 << 21 | 5);
        cpu.sys.write(MDSCR, SS | KDE);
        cpu.s.daif = CpuState.DAIF_D;
        cpu.s.pc = CODE;
    }

    @Test
    void aLoadFromADeviceIsSteppedWhenItsOwnerAnswers() {
        long code = CODE + 0x100;
        board.code(code, 0xF9400001, NOP); // ldr x1, [x0]
        cpu.x[0] = DEVICE;
        step(code);
        assertThat(cpu.run(100)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
        cpu.completeMmioRead(7);

        assertThat(cpu.run(100)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.sys.read(ESR)).isEqualTo(0x33L << 26 | 1 << 25 | 1 << 24 | 0x22);
        assertThat(cpu.sys.read(ELR)).isEqualTo(code + 4);
        assertThat(cpu.x[1]).isEqualTo(7);
    }

    @Test
    void aHypercallIsSteppedAndTheBudgetIsExact() {
        long code = CODE + 0x100;
        board.code(code, 0xD4000042, NOP); // hvc #2
        step(code);
        long before = cpu.s.retired;
        assertThat(cpu.run(1)).isEqualTo(CpuExit.Kind.BUDGET);
        assertThat(cpu.s.retired).isEqualTo(before + 1);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.exit.immediate).isEqualTo(2);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.exit.immediate).isEqualTo(1);
        assertThat(cpu.sys.read(ELR)).isEqualTo(code + 4);
    }

    @Test
    void hotCodeStopsForBreakpointsAndGoesOnWithoutThem() {
        board.code(CODE, 0x91000400, 0xF9000040, 0xD1000421, 0xB5FFFFA1, HVC);
        // add x0, x0, #1; str x0, [x2]; sub x1, x1, #1; cbnz x1, back
        cpu.x[2] = DATA;
        cpu.x[1] = 100_000;
        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);

        cpu.x[0] = 0;
        cpu.x[1] = 10;
        cpu.sys.write(value(0), CODE + 8);
        cpu.sys.write(control(0), BREAK);
        cpu.sys.write(MDSCR, MDE | KDE);
        assertThat(run()).isEqualTo(0x31);
        assertThat(cpu.x[0]).isEqualTo(1);

        cpu.sys.write(control(0), 0);
        cpu.x[0] = 0;
        watch(DATA, WATCH & ~8L);
        assertThat(run()).isEqualTo(0x35);
        assertThat(cpu.x[0]).isEqualTo(1);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 4);
        tier.check(translator);
    }
}
