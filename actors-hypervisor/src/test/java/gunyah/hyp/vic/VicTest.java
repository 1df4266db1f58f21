package gunyah.hyp.vic;

import static gunyah.hyp.vic.VicBoard.GICD_CTLR;
import static gunyah.hyp.vic.VicBoard.GICD_ISENABLER;
import static gunyah.hyp.vic.VicBoard.GICR_SGI;
import static gunyah.hyp.vic.VicBoard.SPURIOUS;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.Invariant;
import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.vic.VicBoard.Source;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The guest's view of its GICv3: registers, priorities, edge and level, SGIs, wake-ups. */
class VicTest {
    private static final int SPI = 40;

    private final VicBoard board = new VicBoard(4, Vic.MAX_SPIS + 64).up();
    private final Vic vic = board.vic;
    private final List<VicBoard.Target> targets = board.targets;
    private final MmioDevice distributor = board.distributor;
    private final List<MmioDevice> redistributors = board.redistributors;

    private long read(int cpu, IccRegister register) {
        return board.read(cpu, register);
    }

    private void write(int cpu, IccRegister register, long value) {
        board.write(cpu, register, value);
    }

    private void enable(int intid) {
        board.enable(intid);
    }

    private void makeEdge(int intid) {
        board.makeEdge(intid, true);
    }

    private Source bound(int intid) {
        return board.bound(intid);
    }

    @Test
    void cpuInterfaceRegistersReadBackWhatLinuxExpects() {
        assertThat(targets.get(2).mpidr).isEqualTo(0x8000_0002L);
        assertThat(read(0, IccRegister.SRE)).isEqualTo(7);
        assertThat(read(0, IccRegister.CTLR)).isEqualTo(1 << 19 | 1 << 18 | 1 << 15 | 4 << 8);
        assertThat(read(0, IccRegister.PMR)).isEqualTo(0xF0);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0xFF);
        assertThat(read(0, IccRegister.BPR0)).isEqualTo(2);
        assertThat(read(0, IccRegister.BPR1)).isEqualTo(3);
    }

    @Test
    void onlyPrivateSourcesAndSpisInRangeAreBound() {
        Source source = new Source();

        assertThat(vic.bind(source, 27)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(vic.bind(source, 1020)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(vic.bind(source, 4096 + 64)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(vic.bind(source, 4096 + 63)).isEqualTo(HypError.OK);
        assertThat(vic.bind(source, SPI)).isEqualTo(HypError.VIRQ_BOUND);
        assertThat(vic.bind(new Source(), 4096 + 63)).isEqualTo(HypError.BUSY);
        vic.unbind(source);
        vic.unbind(source);
        assertThat(vic.bind(source, SPI)).isEqualTo(HypError.OK);
    }

    @Test
    @Invariant({39, 41})
    void aDisabledInterruptIsLatchedAndDeliveredWhenEnabled() {
        Source source = bound(SPI);

        source.assertVirq(false);
        assertThat(targets.getFirst().irq).isFalse();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        enable(SPI);

        assertThat(targets.getFirst().irq).isTrue();
        assertThat(targets.getFirst().wakeUps).isEqualTo(1);
        assertThat(read(0, IccRegister.HPPIR1)).isEqualTo(SPI);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    @Invariant(40)
    void anEdgeIsDeliveredOnceForAllAssertionsSinceTheLastAcknowledge() {
        makeEdge(SPI);
        enable(SPI);
        Source source = bound(SPI);

        source.assertVirq(true);
        source.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);

        source.assertVirq(true);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        source.assertVirq(true);
        assertThat(targets.getFirst().irq).isFalse();
        write(0, IccRegister.EOIR1, SPI);
        assertThat(targets.getFirst().irq).isTrue();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
    }

    @Test
    @Invariant(40)
    void aLevelIsRedeliveredWhileItsSourceHoldsIt() {
        enable(SPI);
        Source source = bound(SPI);
        source.level = true;

        source.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(targets.getFirst().irq).isTrue();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        assertThat(source.lastReasserted).isFalse();

        source.level = false;
        write(0, IccRegister.EOIR1, SPI);
        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void anAssertionDuringTheCheckIsNotLost() {
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);

        source.onCheck = () -> {
            source.onCheck = () -> { };
            source.assertVirq(false);
        };
        write(0, IccRegister.EOIR1, SPI);

        assertThat(targets.getFirst().irq).isTrue();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void anAssertionSinceTheAcknowledgeKeepsALevelLinePendingOnce() {
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);

        source.assertVirq(false);
        write(0, IccRegister.EOIR1, SPI);

        assertThat(source.lastReasserted).isTrue();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(source.lastReasserted).isFalse();
        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void anEdgeOnlyAssertionDoesNotRaiseALevelLine() {
        enable(SPI);
        Source source = bound(SPI);

        source.assertVirq(true);

        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void aClearedOrUnboundSourceIsNotDelivered() {
        enable(SPI);
        enable(SPI + 1);
        Source cleared = bound(SPI);
        Source unbound = bound(SPI + 1);
        cleared.assertVirq(false);
        unbound.assertVirq(false);

        cleared.clearVirq();
        vic.unbind(unbound);
        unbound.assertVirq(false);

        assertThat(targets.getFirst().irq).isFalse();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
    }

    @Test
    void aMoreUrgentInterruptPreemptsAndALessUrgentOneWaits() {
        for (int intid = SPI; intid < SPI + 3; intid++) {
            enable(intid);
        }
        distributor.write(0, 0x400 + SPI + 1, 1, 0x80);
        Source normal = bound(SPI);
        Source urgent = bound(SPI + 1);
        Source alsoNormal = bound(SPI + 2);

        normal.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        alsoNormal.assertVirq(false);
        assertThat(targets.getFirst().irq).isFalse();
        urgent.assertVirq(false);
        assertThat(targets.getFirst().irq).isTrue();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI + 1);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0x80);

        write(0, IccRegister.EOIR1, SPI + 1);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0xA0);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI + 2);
    }

    @Test
    void theBinaryPointDecidesWhatPreempts() {
        enable(SPI);
        enable(SPI + 1);
        distributor.write(0, 0x400 + SPI + 1, 1, 0x98);
        write(0, IccRegister.BPR1, 6);
        Source normal = bound(SPI);
        Source slightlyMoreUrgent = bound(SPI + 1);

        normal.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        slightlyMoreUrgent.assertVirq(false);

        // 0x98 and 0xA0 differ in bits 7:6 (0x80 both): one group, no pre-emption
        assertThat(targets.getFirst().irq).isFalse();
        write(0, IccRegister.BPR1, 3);
        assertThat(read(0, IccRegister.BPR1)).isEqualTo(3);
    }

    @Test
    @Invariant(41)
    void thePriorityMaskHoldsInterruptsBack() {
        enable(SPI);
        Source source = bound(SPI);
        write(0, IccRegister.PMR, 0xA0);

        source.assertVirq(false);
        assertThat(targets.getFirst().irq).isFalse();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        write(0, IccRegister.PMR, 0xF0);

        assertThat(targets.getFirst().irq).isTrue();
        assertThat(targets.getFirst().wakeUps).isEqualTo(1);
    }

    @Test
    void groupZeroRaisesFiqAndIsInvisibleToIar1() {
        enable(SPI);
        distributor.write(0, 0x80 + 4, 4, 0);
        write(0, IccRegister.IGRPEN0, 1);
        distributor.write(0, GICD_CTLR, 4, 0x13);
        Source source = bound(SPI);

        source.assertVirq(false);

        assertThat(targets.getFirst().fiq).isTrue();
        assertThat(targets.getFirst().irq).isFalse();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        assertThat(read(0, IccRegister.IAR0)).isEqualTo(SPI);
        write(0, IccRegister.EOIR0, SPI);
    }

    @Test
    void endOfInterruptDropsAndDeactivatesInMode0() {
        makeEdge(SPI);
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(true);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        assertThat(board.bit(0x300, SPI)).isTrue();
        source.assertVirq(true);
        assertThat(targets.getFirst().irq).isFalse();

        write(0, IccRegister.EOIR1, SPI);

        assertThat(read(0, IccRegister.RPR)).isEqualTo(0xFF);
        assertThat(board.bit(0x300, SPI)).isFalse();
        assertThat(targets.getFirst().irq).isTrue();
    }

    @Test
    void splitEndOfInterruptDeactivatesByDir() {
        makeEdge(SPI);
        enable(SPI);
        Source source = bound(SPI);
        write(0, IccRegister.CTLR, 2);
        source.assertVirq(true);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);

        source.assertVirq(true);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0xFF);
        assertThat(board.bit(0x300, SPI)).isTrue();
        assertThat(targets.getFirst().irq).isFalse();
        write(0, IccRegister.DIR, SPI);

        assertThat(board.bit(0x300, SPI)).isFalse();
        assertThat(targets.getFirst().irq).isTrue();
    }

    @Test
    void anotherVcpuMayDeactivateASharedInterruptAndNoneAPrivateOneOfAnother() {
        redistributors.getFirst().write(0, GICR_SGI + GICD_ISENABLER, 4, 1);
        enable(SPI);
        write(0, IccRegister.CTLR, 2);
        bound(SPI).assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        write(0, IccRegister.SGI1R, 1);
        assertThat(read(0, IccRegister.IAR1)).isZero();

        write(1, IccRegister.DIR, SPI);
        write(1, IccRegister.DIR, 0);

        assertThat(board.bit(0x300, SPI)).isFalse();
        assertThat(redistributors.getFirst().read(0, GICR_SGI + 0x300, 4)).isEqualTo(1);
    }

    @Test
    void endingWhatIsNotActiveAsksNoSource() {
        enable(SPI);
        Source source = bound(SPI);
        source.level = true;
        source.assertVirq(false);

        write(0, IccRegister.DIR, SPI);
        write(0, IccRegister.EOIR1, SPI);
        write(0, IccRegister.EOIR1, SPURIOUS);
        write(0, IccRegister.DIR, 5000);

        assertThat(source.checks).isZero();
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
    }

    @Test
    void softwareInterruptsReachTheNamedCpusOrAllOthers() {
        for (MmioDevice frame : redistributors) {
            frame.write(0, GICR_SGI + GICD_ISENABLER, 4, 0xFFFF);
        }

        write(0, IccRegister.SGI1R, 5L << 24 | 0b0110);
        assertThat(targets.get(0).irq).isFalse();
        assertThat(read(1, IccRegister.IAR1)).isEqualTo(5);
        assertThat(read(2, IccRegister.IAR1)).isEqualTo(5);
        assertThat(read(3, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        write(1, IccRegister.EOIR1, 5);
        write(2, IccRegister.EOIR1, 5);

        write(1, IccRegister.SGI1R, 7L << 24 | 1L << 40);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(7);
        assertThat(read(1, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        assertThat(read(3, IccRegister.IAR1)).isEqualTo(7);
    }

    @Test
    void spisFollowTheirRoute() {
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(false);
        assertThat(targets.get(0).irq).isTrue();

        distributor.write(0, 0x6000 + 8 * SPI, 8, 2);

        assertThat(targets.get(0).irq).isFalse();
        assertThat(targets.get(2).irq).isTrue();
        assertThat(distributor.read(0, 0x6000 + 8 * SPI, 8)).isEqualTo(2);
        distributor.write(0, 0x6000 + 8 * SPI, 8, 77);
        assertThat(targets.get(2).irq).isFalse();
    }

    @Test
    void extendedSpisHaveTheirOwnRegisters() {
        distributor.write(0, 0x1000, 4, -1);
        distributor.write(0, 0x2000 + 3, 1, 0x70);
        distributor.write(0, 0x3000, 4, 0b10 << 6);
        distributor.write(0, 0x1200, 4, 1 << 3);
        Source source = bound(4096 + 3);

        source.assertVirq(true);

        assertThat(distributor.read(0, 0x1200, 4)).isEqualTo(1 << 3);
        assertThat(distributor.read(0, 0x2000, 4)).isEqualTo(0x7000_0000L);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(4099);
        write(0, IccRegister.EOIR1, 4099);
    }

    @Test
    void messageBasedSpisAndSoftwarePendingWork() {
        makeEdge(SPI);
        enable(SPI);
        distributor.write(0, 0x40, 4, SPI);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);

        enable(SPI + 1);
        distributor.write(0, 0x200 + 4, 4, 1 << SPI + 1 - 32);
        assertThat(targets.getFirst().irq).isTrue();
        distributor.write(0, 0x280 + 4, 4, 1 << SPI + 1 - 32);
        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void aMessageOnALevelLineStaysUntilItsSenderTakesItBack() {
        enable(SPI);

        distributor.write(0, 0x40, 4, SPI);
        distributor.write(0, 0x280 + SPI / 32 * 4, 4, 1L << SPI % 32);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        distributor.write(0, 0x48, 4, SPI);
        write(0, IccRegister.EOIR1, SPI);

        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
    }

    @Test
    void privateSourcesGoToTheirOwnCpu() {
        redistributors.get(1).write(1, GICR_SGI + GICD_ISENABLER, 4, 1 << 27);
        Source timer = new Source();
        assertThat(vic.bindPrivate(timer, 1, 27)).isEqualTo(HypError.OK);

        timer.assertVirq(false);

        assertThat(targets.get(0).irq).isFalse();
        assertThat(read(1, IccRegister.IAR1)).isEqualTo(27);
    }

    @Test
    void disablingWithdrawsWhatWasPending() {
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(false);
        assertThat(targets.getFirst().irq).isTrue();

        board.disable(SPI);
        assertThat(targets.getFirst().irq).isFalse();
        enable(SPI);
        distributor.write(0, GICD_CTLR, 4, 0x10);

        assertThat(targets.getFirst().irq).isFalse();
    }

    @Test
    void aJavaVmGetsInterruptsAtItsHandlerAndThoseFromBeforeToo() {
        vic.becomeJava();
        Source early = bound(SPI);
        Source source = bound(4096);
        List<Integer> taken = new ArrayList<>();
        early.assertVirq(true);
        early.assertVirq(true);

        vic.deliverTo(taken::add);
        source.assertVirq(true);
        source.assertVirq(false);

        assertThat(taken).containsExactly(SPI, 4096, 4096);
    }

    @Test
    void registersOutsideTheTableAreNotThere() {
        assertThat(Vic.hasIcc(IccRegister.IAR1.key, false)).isTrue();
        assertThat(Vic.hasIcc(IccRegister.IAR1.key | 1 << 15, false)).isTrue();
        assertThat(Vic.hasIcc(IccRegister.IAR1.key, true)).isFalse();
        assertThat(Vic.hasIcc(IccRegister.EOIR1.key, false)).isFalse();
        assertThat(Vic.hasIcc(IccRegister.AP0R0.key + 1, false)).isFalse();
        assertThat(Vic.hasIcc(0x4000, false)).isFalse();
    }

    @Test
    void aCommonBinaryPointGroupsBothAndHidesTheOther() {
        write(0, IccRegister.BPR1, 4);
        write(0, IccRegister.BPR0, 6);
        write(0, IccRegister.CTLR, 1);

        assertThat(read(0, IccRegister.BPR1)).isEqualTo(7);
        write(0, IccRegister.BPR1, 3);
        write(0, IccRegister.BPR0, 7);
        assertThat(read(0, IccRegister.BPR1)).isEqualTo(7);
        write(0, IccRegister.CTLR, 0);

        assertThat(read(0, IccRegister.BPR1)).isEqualTo(4);
        assertThat(read(0, IccRegister.BPR0)).isEqualTo(7);
    }

    @Test
    void anInterruptPreemptsOnlyWhatIsOfALessUrgentGroupInItsOwnView() {
        write(0, IccRegister.IGRPEN0, 1);
        enable(SPI);
        enable(SPI + 1);
        board.distributor.write(0, 0x80 + 4, 4, ~(1L << SPI % 32));
        board.priority(SPI, 0x98);
        board.priority(SPI + 1, 0x90);
        write(0, IccRegister.BPR1, 6);
        Source active = bound(SPI);
        Source pending = bound(SPI + 1);
        active.assertVirq(false);
        assertThat(read(0, IccRegister.IAR0)).isEqualTo(SPI);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0x98);

        pending.assertVirq(false);

        // With 0xC0 of each both are 0x80.
        assertThat(targets.getFirst().irq).isFalse();
        write(0, IccRegister.BPR1, 3);
        assertThat(targets.getFirst().irq).isTrue();
    }

    @Test
    void activePrioritiesNestAndAreRestoredByTheirRegister() {
        for (int i = 0; i < 3; i++) {
            enable(SPI + i);
            board.priority(SPI + i, 0xA0 - 0x20 * i);
            bound(SPI + i).assertVirq(false);
            assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI + i);
        }
        assertThat(read(0, IccRegister.AP1R0)).isEqualTo(1L << 0xA0 / 8 | 1L << 0x80 / 8 | 1L << 0x60 / 8);
        assertThat(read(0, IccRegister.AP0R0)).isZero();
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0x60);

        write(0, IccRegister.EOIR1, SPI + 2);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0x80);
        write(0, IccRegister.AP1R0, 1L << 0x40 / 8);

        assertThat(read(0, IccRegister.RPR)).isEqualTo(0x40);
    }

    @Test
    void theHighestPendingIsShownWhateverRunsOrIsMasked() {
        enable(SPI);
        write(0, IccRegister.PMR, 0);
        bound(SPI).assertVirq(false);

        assertThat(read(0, IccRegister.HPPIR1)).isEqualTo(SPI);
        assertThat(read(0, IccRegister.HPPIR0)).isEqualTo(SPURIOUS);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPURIOUS);
    }

    @Test
    void groupZeroRequestsDoNotReachSoftwareInterruptsOfGroupOne() {
        redistributors.get(1).write(1, GICR_SGI + GICD_ISENABLER, 4, 3);
        redistributors.get(1).write(1, GICR_SGI + 0x80, 4, ~1L);
        write(1, IccRegister.IGRPEN0, 1);

        write(0, IccRegister.SGI0R, 1L << 24 | 2);
        write(0, IccRegister.ASGI1R, 1L << 24 | 2);
        assertThat(targets.get(1).irq).isFalse();
        write(0, IccRegister.SGI0R, 2);

        assertThat(targets.get(1).fiq).isTrue();
        assertThat(read(1, IccRegister.IAR0)).isZero();
        write(1, IccRegister.EOIR0, 0);
        // SGI1R reaches both groups.
        write(0, IccRegister.SGI1R, 2);
        assertThat(read(1, IccRegister.IAR0)).isZero();
    }

    @Test
    void softwareInterruptsGoByAllAffinityFields() {
        VicBoard other = new VicBoard(8, 0, 0x0103, 0, 2).up();
        for (MmioDevice frame : other.redistributors) {
            frame.write(0, GICR_SGI + GICD_ISENABLER, 4, 0xFFFF);
        }
        assertThat(other.targets.get(6).mpidr).isEqualTo(0x8000_0102L);

        other.write(0, IccRegister.SGI1R, 3L << 24 | 1L << 16 | 0b1100);

        for (int i = 0; i < 8; i++) {
            assertThat(other.targets.get(i).irq).as("vCPU " + i).isEqualTo(i == 6 || i == 7);
        }
    }

    @Test
    void theRangeSelectorReachesMoreThanSixteenVcpus() {
        VicBoard other = new VicBoard(20, 0).up();
        for (MmioDevice frame : other.redistributors) {
            frame.write(0, GICR_SGI + GICD_ISENABLER, 4, 0xFFFF);
        }

        other.write(0, IccRegister.SGI1R, 1L << 44 | 0b10);

        assertThat(other.targets.get(17).irq).isTrue();
        assertThat(other.targets.get(1).irq).isFalse();
    }

    @Test
    void disablingClearingAndDeactivatingByRegisterAskTheLevelSource() {
        enable(SPI);
        Source source = bound(SPI);
        for (int array : new int[] {0x180, 0x280, 0x380}) {
            source.level = true;
            source.assertVirq(false);
            board.setBit(array, SPI);
            assertThat(board.bit(0x200, SPI)).as("held, array 0x%x", array).isTrue();

            source.level = false;
            board.setBit(array, SPI);
            board.setBit(array, SPI);
            assertThat(board.bit(0x200, SPI)).as("released, array 0x%x", array).isFalse();
        }
    }

    @Test
    void deactivatingByRegisterRedeliversWhatIsStillPending() {
        enable(SPI);
        Source source = bound(SPI);
        source.level = true;
        source.assertVirq(false);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
        write(0, IccRegister.CTLR, 2);
        write(0, IccRegister.EOIR1, SPI);
        assertThat(targets.getFirst().irq).isFalse();

        board.setBit(0x380, SPI);

        assertThat(targets.getFirst().irq).isTrue();
    }

    @Test
    void whatSoftwareMadeActiveIsNotDelivered() {
        enable(SPI);
        board.setBit(0x300, SPI);

        bound(SPI).assertVirq(false);
        assertThat(targets.getFirst().irq).isFalse();
        board.setBit(0x380, SPI);

        // The assertion was never acknowledged, so it counts although the level is gone.
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
    }

    @Test
    void becomingLevelForgetsWhatSoftwareLatchedAndAsksTheSource() {
        Source source = bound(SPI);
        board.setBit(0x200, SPI);
        distributor.write(0, 0x40, 4, SPI);
        source.assertVirq(false);
        makeEdge(SPI);
        assertThat(board.bit(0x200, SPI)).isTrue();

        board.makeEdge(SPI, false);

        assertThat(board.bit(0x200, SPI)).as("the source let go").isTrue();
        board.setBit(0x280, SPI);
        assertThat(board.bit(0x200, SPI)).isFalse();
    }

    @Test
    void reroutingAnActiveInterruptDoesNotDuplicateIt() {
        makeEdge(SPI);
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(true);
        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);

        board.route(SPI, 1);
        assertThat(read(1, IccRegister.IAR1)).isEqualTo(SPURIOUS);
        source.assertVirq(true);
        assertThat(targets.get(1).irq).isFalse();
        write(0, IccRegister.EOIR1, SPI);

        assertThat(targets.get(0).irq).isFalse();
        assertThat(read(1, IccRegister.IAR1)).isEqualTo(SPI);
    }

    @Test
    void anInterruptWithoutAVcpuWaitsForOne() {
        VicBoard other = new VicBoard(2, Vic.MAX_SPIS).up();
        other.enable(SPI);
        other.route(SPI, 1);
        other.vic.detach(1);
        Source source = other.bound(SPI);

        source.assertVirq(false);
        VicBoard.Target back = new VicBoard.Target();
        other.vic.attach(back, 1);
        other.write(1, IccRegister.PMR, 0xF0);
        assertThat(back.irq).isFalse();
        other.write(1, IccRegister.IGRPEN1, 1);

        assertThat(back.irq).isTrue();
    }

    @Test
    void resettingACpuInterfaceKeepsWhatTheDistributorHolds() {
        enable(SPI);
        bound(SPI).assertVirq(false);

        vic.resetCpuInterface(0);
        assertThat(targets.getFirst().irq).isFalse();
        assertThat(read(0, IccRegister.PMR)).isZero();
        assertThat(read(0, IccRegister.IGRPEN1)).isZero();
        write(0, IccRegister.PMR, 0xF0);
        write(0, IccRegister.IGRPEN1, 1);

        assertThat(read(0, IccRegister.IAR1)).isEqualTo(SPI);
    }
}
