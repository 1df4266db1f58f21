package gunyah.arm64.sysreg;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.IdlePort;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.VcpuControl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Counts are exact, whichever engine executes. */
class PerformanceMonitorsTest {
    private static final long CODE = 0x1000;
    private static final long USER = 0x4000;
    private static final long VECTORS = 0x8000;
    private static final int NOP = 0xD503201F;
    private static final int HVC = 0xD4000022;
    private static final int ERET = 0xD69F03E0;
    private static final int READ_CYCLES_X1 = 0xD53B9D01; // mrs x1, pmccntr_el0
    private static final int READ_CYCLES_X2 = 0xD53B9D02;
    private static final int READ_EVENTS_X1 = 0xD53BE801; // mrs x1, pmevcntr0_el0
    private static final int READ_EVENTS_X2 = 0xD53BE802;
    private static final int PMCR = key(3, 3, 9, 12, 0);
    private static final int ENABLE_SET = key(3, 3, 9, 12, 1);
    private static final int ENABLE_CLEAR = key(3, 3, 9, 12, 2);
    private static final int OVERFLOW_CLEAR = key(3, 3, 9, 12, 3);
    private static final int SOFTWARE = key(3, 3, 9, 12, 4);
    private static final int SELECT = key(3, 3, 9, 12, 5);
    private static final int CYCLES = key(3, 3, 9, 13, 0);
    private static final int SELECTED_TYPE = key(3, 3, 9, 13, 1);
    private static final int SELECTED_COUNTER = key(3, 3, 9, 13, 2);
    private static final int USER_ENABLE = key(3, 3, 9, 14, 0);
    private static final int INTERRUPT_SET = key(3, 0, 9, 14, 1);
    private static final int CYCLE_FILTER = key(3, 3, 14, 15, 7);
    private static final int ESR = key(3, 0, 5, 2, 0);
    private static final int ELR = key(3, 0, 4, 0, 1);
    private static final int SPSR = key(3, 0, 4, 0, 0);
    private static final int SCTLR = key(3, 0, 1, 0, 0);
    private static final int VBAR = key(3, 0, 12, 0, 0);
    private static final long NOT_AT_EL1 = 1L << 31;
    private static final long NOT_AT_EL0 = 1L << 30;
    private static final long INSTRUCTIONS = 8;

    private FlatBoard board;
    private Cpu cpu;

    private void start(Tier tier) {
        board = new FlatBoard(1 << 20, 1, tier.translator());
        cpu = board.cpu();
        cpu.sys.write(VBAR, VECTORS);
        board.code(VECTORS + 0x200, HVC);
        board.code(VECTORS + 0x280, HVC);
        board.code(VECTORS + 0x400, HVC);
        ((IdlePort) cpu.port).onOverflow = () -> {
            cpu.control.irqLine = cpu.sys.pmu.overflowLine();
            cpu.control.raise(VcpuControl.IRQ);
        };
    }

    @AfterEach
    void close() {
        board.close();
    }

    private static int counter(int n) {
        return key(3, 3, 14, 8, n);
    }

    private static int type(int n) {
        return key(3, 3, 14, 12, n);
    }

    private void run(long pc) {
        assertThat(board.run(pc, 10_000_000)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }

    @ParameterizedTest
    @EnumSource
    void countsInstructionsAndCycles(Tier tier) {
        start(tier);
        cpu.sys.write(type(0), INSTRUCTIONS);
        cpu.sys.write(ENABLE_SET, 1L << 31 | 1);
        cpu.sys.write(PMCR, 1);
        // 1: mrs x1; mov x0, #1000; 2: subs x0, x0, #1; b.ne 2b; mrs x2; sub x3, x3, #1; cbnz x3, 1b; hvc
        board.code(CODE, READ_CYCLES_X1, 0xD2807D00, 0xF1000400, 0x54FFFFE1, READ_CYCLES_X2, 0xD1000463, 0xB5FFFF43, HVC);
        cpu.x[3] = 5;
        run(CODE);
        assertThat(cpu.x[2] - cpu.x[1]).isEqualTo(2002);
        board.code(CODE, READ_EVENTS_X1, NOP, NOP, READ_EVENTS_X2, HVC);
        cpu.domain.invalidateAllCode();
        run(CODE);
        assertThat(cpu.x[2] - cpu.x[1]).isEqualTo(3);

        assertThat(cpu.sys.read(counter(0))).isEqualTo(cpu.sys.read(CYCLES));
        cpu.sys.write(PMCR, 0);
        long still = cpu.sys.read(CYCLES);
        run(CODE);
        assertThat(cpu.sys.read(CYCLES)).isEqualTo(still);
        cpu.sys.write(PMCR, 4);
        assertThat(cpu.sys.read(CYCLES)).isZero();
        assertThat(cpu.sys.read(counter(0))).isEqualTo(still);
        cpu.sys.write(PMCR, 2);
        assertThat(cpu.sys.read(counter(0))).isZero();
    }

    /** EL1 returns to EL0 and EL0 calls EL1, ten times: each counts its own instructions, the one that leaves included. */
    @ParameterizedTest
    @EnumSource
    void tellsTheExceptionLevelsApart(Tier tier) {
        start(tier);
        cpu.sys.write(type(1), INSTRUCTIONS | NOT_AT_EL1);
        cpu.sys.write(type(2), INSTRUCTIONS | NOT_AT_EL0);
        cpu.sys.write(type(3), INSTRUCTIONS);
        cpu.sys.write(CYCLE_FILTER, NOT_AT_EL1);
        board.code(CODE, ERET);
        board.code(USER, NOP, NOP, 0xD4000001, 0x17FFFFFD); // svc #0; b back
        // sub x0, x0, #1; cbz x0, end; eret; end: hvc
        board.code(VECTORS + 0x400, 0xD1000400, 0xB4000040, ERET, HVC);
        returnTo(USER);
        cpu.x[0] = 10;
        cpu.sys.write(ENABLE_SET, 1L << 31 | 0xE);
        cpu.sys.write(PMCR, 1);
        run(CODE);

        cpu.sys.write(PMCR, 0);
        assertThat(cpu.sys.read(counter(1))).isEqualTo(3 + 9 * 4);
        assertThat(cpu.sys.read(counter(2))).isEqualTo(1 + 9 * 3 + 3);
        assertThat(cpu.sys.read(counter(3))).isEqualTo(39 + 31);
        assertThat(cpu.sys.read(CYCLES)).isEqualTo(39);
    }

    /** Lets an ERET go to EL0; the flat map is EL1's, so the MMU goes off. */
    private void returnTo(long pc) {
        cpu.sys.write(ELR, pc);
        cpu.sys.write(SPSR, 0x3C0);
        cpu.sys.write(SCTLR, cpu.sys.read(SCTLR) & -2);
    }

    @ParameterizedTest
    @EnumSource
    void anOverflowInterruptsAtItsInstruction(Tier tier) {
        start(tier);
        board.code(CODE, 0x91000400, 0x17FFFFFF); // add x0, x0, #1; b back
        for (long left : new long[] {1, 2, 7, 1000, 1001, 250_000}) {
            cpu.sys.write(type(4), INSTRUCTIONS);
            cpu.sys.write(counter(4), -left);
            cpu.sys.write(ENABLE_SET, 0x10);
            cpu.sys.write(INTERRUPT_SET, 0x10);
            cpu.x[0] = 0;
            cpu.s.daif = 0;
            cpu.sys.write(PMCR, 1);
            run(CODE);
            assertThat(cpu.x[0]).as("%d to go", left).isEqualTo((left + 1) / 2);
            assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 4 * (left % 2));
            assertThat(cpu.sys.read(OVERFLOW_CLEAR)).isEqualTo(0x10);
            cpu.sys.write(PMCR, 0);
            cpu.sys.write(OVERFLOW_CLEAR, 0x10);
            assertThat(cpu.control.irqLine).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void exceptionsAreNoInstructions(Tier tier) {
        start(tier);
        board.code(CODE, NOP, 0x00000000); // udf
        cpu.sys.write(type(0), INSTRUCTIONS);
        cpu.sys.write(ENABLE_SET, 1);
        cpu.sys.write(PMCR, 1);
        run(CODE);
        // the NOP and the HVC of the vector
        assertThat(cpu.sys.read(counter(0))).isEqualTo(2);
    }

    @Test
    void softwareIncrementsAndSelection() {
        start(Tier.INTERPRETED);
        cpu.sys.write(SELECT, 5);
        cpu.sys.write(SELECTED_TYPE, 0);
        cpu.sys.write(SELECTED_COUNTER, 0xFFFF_FFFEL);
        cpu.sys.write(SOFTWARE, 0x3F);
        assertThat(cpu.sys.read(counter(5))).as("not enabled").isEqualTo(0xFFFF_FFFEL);
        cpu.sys.write(ENABLE_SET, 0x20);
        cpu.sys.write(PMCR, 1);
        cpu.sys.write(SOFTWARE, 0x3F);
        assertThat(cpu.sys.read(SELECTED_COUNTER)).isEqualTo(0xFFFF_FFFFL);
        assertThat(cpu.sys.read(OVERFLOW_CLEAR)).isZero();
        cpu.sys.write(SOFTWARE, 0x3F);
        assertThat(cpu.sys.read(SELECTED_COUNTER)).isZero();
        assertThat(cpu.sys.read(OVERFLOW_CLEAR)).isEqualTo(0x20);
        cpu.sys.write(SELECT, 31);
        cpu.sys.write(SELECTED_TYPE, -1);
        assertThat(cpu.sys.read(CYCLE_FILTER)).isEqualTo(NOT_AT_EL1 | NOT_AT_EL0);
        cpu.sys.write(SELECT, 7);
        assertThat(cpu.sys.read(SELECTED_COUNTER)).isZero();
        cpu.sys.write(ENABLE_CLEAR, 0x20);
        assertThat(cpu.sys.read(ENABLE_SET)).isZero();
        assertThat(cpu.sys.read(key(3, 3, 9, 12, 6))).as("events").isEqualTo(0x2_0101);
        assertThat(cpu.sys.read(PMCR)).isEqualTo(6 << 11 | 1);
    }

    @Test
    void theCycleCounterOverflowsAsItIsToldTo() {
        start(Tier.INTERPRETED);
        board.code(CODE, NOP, NOP, NOP, NOP, NOP, NOP, NOP, HVC);
        cpu.sys.write(ENABLE_SET, 1L << 31);
        cpu.sys.write(CYCLES, 0xFFFF_FFFCL);
        cpu.sys.write(PMCR, 1);
        run(CODE);
        assertThat(cpu.sys.read(CYCLES)).isEqualTo(0x1_0000_0004L);
        assertThat(cpu.sys.read(OVERFLOW_CLEAR)).isEqualTo(1L << 31);

        cpu.sys.write(PMCR, 0x41);
        cpu.sys.write(OVERFLOW_CLEAR, -1);
        cpu.sys.write(CYCLES, 0xFFFF_FFFCL);
        run(CODE);
        assertThat(cpu.sys.read(OVERFLOW_CLEAR)).as("64 bits").isZero();
        cpu.sys.write(CYCLES, -3);
        run(CODE);
        assertThat(cpu.sys.read(OVERFLOW_CLEAR)).isEqualTo(1L << 31);

        cpu.sys.write(PMCR, 9 | 4);
        for (int i = 0; i < 16; i++) {
            run(CODE);
        }
        assertThat(cpu.sys.read(CYCLES)).as("one for 64").isEqualTo(2);
    }

    @Test
    void userCodeReadsWhatItIsAllowedTo() {
        start(Tier.INTERPRETED);
        board.code(CODE, ERET);
        board.code(USER, READ_CYCLES_X1, 0xD4000001); // svc #0
        for (int enabled = 0; enabled < 16; enabled++) {
            cpu.sys.write(USER_ENABLE, enabled);
            returnTo(USER);
            run(CODE);
            boolean allowed = (enabled & 5) != 0;
            assertThat(cpu.sys.read(ESR) >>> 26).as("PMUSERENR %d", enabled).isEqualTo(allowed ? 0x15 : 0x18);
        }
    }
}
