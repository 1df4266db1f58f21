package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.arm64.translate.Translator;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(Tier.class)
class CpuTest {
    private static final long CODE = 0x1000;
    private static final long VECTORS = 0x8000;
    private static final long DEVICE = 0x3000_0000;
    private static final int HVC_1 = 0xD4000022;
    private static final int NOP = 0xD503201F;
    private static final int BRANCH_TO_SELF = 0x14000000;
    private static final int ESR = SystemRegisters.key(3, 0, 5, 2, 0);
    private static final int FAR = SystemRegisters.key(3, 0, 6, 0, 0);
    private static final int ELR = SystemRegisters.key(3, 0, 4, 0, 1);
    private static final int SPSR = SystemRegisters.key(3, 0, 4, 0, 0);
    private static final int VBAR = SystemRegisters.key(3, 0, 12, 0, 0);

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
        board.code(VECTORS + 0x200, HVC_1);
        board.code(VECTORS + 0x280, HVC_1);
    }

    @AfterEach
    void tearDown() {
        board.close();
        tier.agrees(translator);
    }

    @Test
    void budgetEndsAfterExactlySoManyInstructions() {
        board.code(CODE, 0x91000400, // add x0, x0, #1
                0x91000421, // add x1, x1, #1
                0x17FFFFFE); // b back

        for (long budget : new long[] {0, 1, 2, 3, 7, 1023, 1024, 1025, 5000, 100_003}) {
            long before = cpu.s.retired;
            cpu.x[0] = 0;
            assertThat(board.run(CODE, budget)).isEqualTo(CpuExit.Kind.BUDGET);
            assertThat(cpu.s.retired - before).isEqualTo(budget);
            assertThat(cpu.x[0]).as("budget %d", budget).isEqualTo((budget + 2) / 3);
            assertThat(cpu.s.pc).isEqualTo(CODE + 4 * (budget % 3));
        }
    }

    @Test
    void straightCodeCrossesPages() {
        int[] words = new int[3000];
        java.util.Arrays.fill(words, 0x91000400); // add x0, x0, #1
        words[2999] = HVC_1;
        board.code(CODE, words);

        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.x[0]).isEqualTo(2999);
        assertThat(cpu.s.retired).isEqualTo(3000);
    }

    @Test
    void anInterruptBetweenBranchAndTargetSavesTheBranchType() {
        for (CpuFeatures features : List.of(CpuFeatures.MAX, CpuFeatures.DEFAULT)) {
            try (FlatBoard other = new FlatBoard(1 << 20, 1, translator, features)) {
                Cpu second = other.cpu();
                second.sys.write(VBAR, VECTORS);
                other.code(VECTORS + 0x280, HVC_1);
                other.code(CODE, 0xD63F0060); // blr x3
                other.code(0x2000, NOP, HVC_1);
                second.x[3] = 0x2000;
                second.s.daif = 0;

                assertThat(other.run(CODE, 1)).isEqualTo(CpuExit.Kind.BUDGET);
                second.control.irqLine = true;
                assertThat(other.run(second.s.pc, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);

                int type = features == CpuFeatures.MAX ? 2 : 0;
                assertThat(second.sys.read(ELR)).isEqualTo(0x2000);
                assertThat(second.sys.read(SPSR) >>> 10 & 3).as("%s", features).isEqualTo(type);
                assertThat(second.s.btype).as("in the handler").isZero();
            }
        }
    }

    @Test
    void hypercallLeavesThePcBehindTheInstruction() {
        board.code(CODE, 0xD4024682, HVC_1); // hvc #0x1234

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.exit.immediate).isEqualTo(0x1234);
        assertThat(cpu.exit.smc).isFalse();
        assertThat(cpu.s.pc).isEqualTo(CODE + 4);
    }

    @Test
    void smcIsToldApartFromHvc() {
        board.code(CODE, 0xD4000003); // smc #0

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.exit.smc).isTrue();
    }

    @Test
    void mmioLoadIsDescribedAndCompleted() {
        board.code(CODE, 0x39800043, HVC_1); // ldrsb x3, [x2]
        cpu.x[2] = DEVICE + 5;

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
        CpuExit exit = cpu.exit;
        assertThat(exit.faultIpa).isEqualTo(DEVICE + 5);
        assertThat(exit.faultVa).isEqualTo(DEVICE + 5);
        assertThat(exit.access).isEqualTo(Access.R);
        assertThat(exit.mapped).isFalse();
        assertThat(exit.isv).isTrue();
        assertThat(exit.sizeLog2).isZero();
        assertThat(exit.register).isEqualTo(3);
        assertThat(exit.signExtend).isTrue();
        assertThat(exit.sixtyFour).isTrue();
        assertThat(cpu.s.pc).isEqualTo(CODE);
        assertThat(cpu.s.retired).isZero();

        cpu.completeMmioRead(0x1FE);
        assertThat(cpu.x[3]).isEqualTo(-2);
        assertThat(cpu.s.pc).isEqualTo(CODE + 4);
        assertThat(cpu.s.retired).isEqualTo(1);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }

    @Test
    void mmioLoadOf32BitsZeroExtendsAndXzrTakesNothing() {
        board.code(CODE, 0xB9400043, 0xB940005F, HVC_1); // ldr w3, [x2]; ldr wzr, [x2]
        cpu.x[2] = DEVICE;
        cpu.x[3] = -1;

        board.run(CODE, 10);
        cpu.completeMmioRead(0xFFFF_FFFF_8765_4321L);
        assertThat(cpu.x[3]).isEqualTo(0x8765_4321L);
        cpu.run(10);
        cpu.completeMmioRead(7);
        assertThat(cpu.x[CpuState.ZR_READ]).isZero();
        assertThat(cpu.s.pc).isEqualTo(CODE + 8);
    }

    @Test
    void mmioStoreCarriesTheValue() {
        board.code(CODE, 0xB8236845, 0xF900005F, 0x889FFC41); // str w5, [x2, x3]; str xzr, [x2]; stlr w1, [x2]
        cpu.x[2] = DEVICE;
        cpu.x[3] = 0x20;
        cpu.x[5] = 0x1_2345_6789L;

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
        assertThat(cpu.exit.access).isEqualTo(Access.W);
        assertThat(cpu.exit.faultIpa).isEqualTo(DEVICE + 0x20);
        assertThat(cpu.exit.isv).isTrue();
        assertThat(cpu.exit.sizeLog2).isEqualTo(2);
        assertThat(cpu.exit.writeValue).isEqualTo(0x1_2345_6789L);
        cpu.completeMmioWrite();
        cpu.run(10);
        assertThat(cpu.exit.register).isEqualTo(31);
        assertThat(cpu.exit.writeValue).isZero();
        cpu.completeMmioWrite();
        cpu.x[1] = 42;
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
        assertThat(cpu.exit.isv).isTrue();
        assertThat(cpu.exit.writeValue).isEqualTo(42);
    }

    @Test
    void accessesWithWriteBackAndPairsHaveNoSyndrome() {
        for (int word : new int[] {0xF8408443, // ldr x3, [x2], #8
                0xF8408C43, // ldr x3, [x2, #8]!
                0xA9400C41, // ldp x1, x3, [x2]
                0xC85F7C43, // ldxr x3, [x2]
                0xF8210043}) { // ldadd x1, x3, [x2]
            board.code(CODE, word);
            board.domain.invalidateAllCode();
            cpu.x[2] = DEVICE;
            assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
            assertThat(cpu.exit.isv).as("%08x", word).isFalse();
            assertThat(cpu.x[2]).isEqualTo(DEVICE);
        }
    }

    @Test
    void anUnmappedVectorIsAnEndlessLoop() {
        cpu.sys.write(VBAR, 1L << 36);
        board.code(CODE, NOP, 0xD61F0060); // br x3
        cpu.x[3] = 1L << 37;

        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.EXCEPTION_LOOP);
        assertThat(cpu.s.pc).isEqualTo((1L << 36) + 0x200);
        assertThat(cpu.sys.read(ELR)).isEqualTo(cpu.s.pc);
        assertThat(cpu.exceptions.loopReturn()).isEqualTo(1L << 37);
        assertThat(cpu.exceptions.loopSyndrome()).isEqualTo(cpu.sys.read(ESR));
        board.code(CODE, HVC_1);
        board.domain.invalidateAllCode();
        cpu.reset(CODE, 0);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }

    @Test
    void aVectorWithoutACodeWordIsAnEndlessLoop() {
        board.code(VECTORS + 0x200, 0);
        board.code(CODE, 0);

        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.EXCEPTION_LOOP);
        assertThat(cpu.exceptions.loopReturn()).isEqualTo(CODE);
    }

    @Test
    void aVectorWithoutMemoryBehindItIsAnEndlessLoop() {
        cpu.sys.write(VBAR, DEVICE);
        board.code(CODE, 0);

        CpuExit.Kind kind = board.run(CODE, Long.MAX_VALUE);
        for (int i = 0; i < 1000 && kind == CpuExit.Kind.STAGE2_FAULT; i++) {
            cpu.injectExternalAbort();
            kind = cpu.run(Long.MAX_VALUE);
        }

        assertThat(kind).isEqualTo(CpuExit.Kind.EXCEPTION_LOOP);
        assertThat(cpu.s.pc).isEqualTo(DEVICE + 0x200);
    }

    @Test
    void manyExceptionsThatAreHandledAreNoLoop() {
        // the vector skips the undefined word; a thousand of them
        board.code(VECTORS + 0x200, 0xD5384024, // mrs x4, elr_el1
                0x91001084, // add x4, x4, #4
                0xD5184024, // msr elr_el1, x4
                0xD69F03E0); // eret
        int[] words = new int[1001];
        words[1000] = HVC_1;
        board.code(CODE, words);

        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }

    @Test
    void externalAbortGoesToTheVector() {
        board.code(CODE, 0xF9400043); // ldr x3, [x2]
        cpu.x[2] = DEVICE + 8;

        board.run(CODE, 10);
        cpu.injectExternalAbort();

        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.sys.read(ESR)).isEqualTo(0x9600_0010L);
        assertThat(cpu.sys.read(FAR)).isEqualTo(DEVICE + 8);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE);
    }

    @Test
    void fetchFromUnmappedStage2IsAnExitForExecution() {
        cpu.x[2] = DEVICE;
        board.code(CODE, 0xD61F0040); // br x2

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
        assertThat(cpu.exit.access).isEqualTo(Access.X);
        assertThat(cpu.exit.isv).isFalse();
        assertThat(cpu.s.pc).isEqualTo(DEVICE);
        assertThat(cpu.s.retired).isEqualTo(1);
    }

    @Test
    void misalignedExclusiveFaults() {
        board.code(CODE, 0xC85F7C43); // ldxr x3, [x2]
        cpu.x[2] = 0x4004;

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.sys.read(ESR)).isEqualTo(0x9600_0021L);
        assertThat(cpu.sys.read(FAR)).isEqualTo(0x4004);
    }

    @Test
    void undefinedWordGoesToTheVector() {
        board.code(CODE, NOP, 0x00000000);

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.sys.read(ESR)).isEqualTo(0x0200_0000L);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 4);
    }

    @Test
    void wfiExitsUnlessALineIsHigh() {
        board.code(CODE, 0xD503207F, HVC_1); // wfi

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.WFI);
        assertThat(cpu.s.pc).isEqualTo(CODE + 4);
        cpu.control.irqLine = true;
        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.s.pc).isEqualTo(CODE + 8);
    }

    @Test
    void wfeGivesTheSliceAwayOnceAndTakesAnEvent() {
        board.code(CODE, 0xD503205F, 0xD503209F, 0xD503205F, HVC_1); // wfe; sev; wfe

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.WFE);
        assertThat(cpu.s.pc).isEqualTo(CODE + 4);
        assertThat(cpu.run(1)).isEqualTo(CpuExit.Kind.BUDGET);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }

    @Test
    void interruptIsTakenWhenUnmasked() {
        board.code(CODE, NOP, 0xD50342FF, NOP); // nop; msr daifclr, #2
        cpu.control.irqLine = true;
        cpu.control.raise(VcpuControl.IRQ);

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 8);
        assertThat(cpu.s.pc).isEqualTo(VECTORS + 0x284);
        assertThat(cpu.s.daif).isEqualTo(0x3C0);
    }

    @Test
    void anSerrorWaitsUntilItIsUnmaskedAndComesBeforeInterrupts() {
        board.code(VECTORS + 0x380, 0xD538_C101, HVC_1); // mrs x1, isr_el1
        board.code(CODE, 0xD538_C100, // mrs x0, isr_el1
                0xD503_44FF, // msr daifclr, #4
                NOP);
        cpu.control.irqLine = true;
        cpu.control.pendSerror(0x123);
        cpu.control.pendSerror(0x13A_BCDE);

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);

        assertThat(cpu.x[0]).as("ISR_EL1 in front of it").isEqualTo(0x180);
        assertThat(cpu.x[1]).as("ISR_EL1 behind it").isEqualTo(0x80);
        assertThat(cpu.sys.read(ESR)).isEqualTo(0xBF3A_BCDEL);
        assertThat(cpu.sys.read(ELR)).isEqualTo(CODE + 8);
        assertThat(cpu.sys.read(SPSR) & 0x3C0).isEqualTo(0x2C0);
        assertThat(cpu.s.daif).isEqualTo(0x3C0);
        assertThat(cpu.s.pc).isEqualTo(VECTORS + 0x388);
    }

    @Test
    void anSerrorEndsWfiAlthoughItIsMaskedAndAResetForgetsIt() {
        board.code(CODE, 0xD503207F, HVC_1); // wfi
        cpu.control.pendSerror(0);

        assertThat(board.run(CODE, 10)).isEqualTo(CpuExit.Kind.HYPERCALL);
        assertThat(cpu.s.pc).isEqualTo(CODE + 8);
        cpu.reset(CODE, 0);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.WFI);
    }

    @Test
    void anSerrorEndsALoopOfTranslatedCode() throws Exception {
        Translator translator = Tier.TRANSLATED.translator();
        try (FlatBoard other = new FlatBoard(1 << 20, 1, translator, CpuFeatures.DEFAULT)) {
            Cpu second = other.cpu();
            second.sys.write(VBAR, VECTORS);
            other.code(VECTORS + 0x380, HVC_1);
            other.code(CODE, 0x91000400, 0x17FFFFFF); // add x0, x0, #1; b back
            second.s.daif = CpuState.DAIF_I | CpuState.DAIF_F | CpuState.DAIF_D;
            second.s.pc = CODE;
            assertThat(other.run(CODE, 100_000)).isEqualTo(CpuExit.Kind.BUDGET);
            Thread raiser = Thread.ofPlatform().start(() -> second.control.pendSerror(7));

            assertThat(second.run(Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);

            raiser.join();
            assertThat(second.sys.read(ESR)).isEqualTo(0xBE00_0007L);
            Tier.TRANSLATED.check(translator);
        }
    }

    @Test
    void attentionEndsALoop() {
        board.code(CODE, BRANCH_TO_SELF);

        cpu.control.raise(VcpuControl.PREEMPT);
        assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.PREEMPTED);
        cpu.control.raise(VcpuControl.DEBUG | VcpuControl.PREEMPT);
        assertThat(cpu.run(Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.DEBUG);
        assertThat(cpu.run(Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.PREEMPTED);
        assertThat(cpu.s.retired).isZero();
    }

    @Test
    void decodedCodeLivesUntilItIsInvalidated() {
        board.code(CODE, 0x52800020, HVC_1); // mov w0, #1
        board.run(CODE, 10);
        board.code(CODE, 0x52800040); // mov w0, #2

        board.domain.invalidateCode(board.memory.hostAddress(CODE));
        board.run(CODE, 10);
        assertThat(cpu.x[0]).isEqualTo(2);

        board.code(CODE, 0x52800060); // mov w0, #3
        board.domain.invalidateAllCode();
        board.run(CODE, 10);
        assertThat(cpu.x[0]).isEqualTo(3);
    }

    @Test
    void guestSeesItsOwnPatchAfterIcIvau() {
        board.code(CODE, 0xB9000041, // str w1, [x2]
                0xD50B7B22, // dc cvau, x2
                0xD5033B9F, // dsb ish
                0xD50B7522, // ic ivau, x2
                0xD5033B9F, // dsb ish
                0xD5033FDF, // isb
                0x52800020, // mov w0, #1, patched
                HVC_1);
        cpu.x[1] = 0x52800100; // mov w0, #8
        cpu.x[2] = CODE + 24;
        cpu.s.pc = CODE + 24;
        cpu.run(10);
        assertThat(cpu.x[0]).isEqualTo(1);

        board.run(CODE, 20);
        assertThat(cpu.x[0]).isEqualTo(8);
    }

    @Test
    void stage2EpochDropsTranslationsAndChecksCode() {
        board.code(CODE, 0xF9400040, HVC_1); // ldr x0, [x2]
        board.code(0x5000, 11);
        board.code(0x6000, 22);
        cpu.x[2] = 0x5000;
        board.run(CODE, 10);
        assertThat(cpu.x[0]).isEqualTo(11);

        board.stage2.set(0x5000, Stage2Table.entry(0x6000, Access.RWX, Access.RWX, 15));
        int epoch = board.stage2.bumpEpoch();
        board.domain.requestStage2Sync();

        assertThat(board.domain.stage2Synced(epoch)).isTrue();
        board.run(CODE, 10);
        assertThat(cpu.x[0]).isEqualTo(22);
    }

    @Test
    void resetLeavesTheArchitectedState() {
        board.code(CODE, HVC_1);
        cpu.s.switchStack(0, 0);
        cpu.s.daif = 0;
        cpu.x[5] = 99;

        cpu.reset(CODE, 0x1234);

        assertThat(cpu.s.el).isEqualTo(1);
        assertThat(cpu.s.spSel).isEqualTo(1);
        assertThat(cpu.s.daif).isEqualTo(0x3C0);
        assertThat(cpu.x[0]).isEqualTo(0x1234);
        assertThat(cpu.x[5]).isEqualTo(99);
        assertThat(cpu.run(10)).isEqualTo(CpuExit.Kind.HYPERCALL);
    }
}
