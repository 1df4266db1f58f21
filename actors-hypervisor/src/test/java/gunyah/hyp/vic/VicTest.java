package gunyah.hyp.vic;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.VirqSource;
import gunyah.hyp.addrspace.MmioDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The guest's view of its GICv3: registers, priorities, edge and level, SGIs, wake-ups. */
class VicTest {
    private static final int GICD_CTLR = 0x0;
    private static final int GICD_TYPER = 0x4;
    private static final int GICD_ISENABLER = 0x100;
    private static final int GICD_ICENABLER = 0x180;
    private static final int GICD_ICFGR = 0xC00;
    private static final int GICR_WAKER = 0x14;
    private static final int GICR_SGI = 0x1_0000;
    private static final int SPI = 40;
    private static final int SPURIOUS = 1023;

    private final Vic vic = new Vic(20, null);
    private final List<Target> targets = new ArrayList<>();
    private MmioDevice distributor;
    private final List<MmioDevice> redistributors = new ArrayList<>();

    private static final class Target implements VicTarget {
        private boolean irq;
        private boolean fiq;
        private int wakeUps;
        private long mpidr;

        @Override
        public int vmid() {
            return 3;
        }

        @Override
        public void interruptLines(boolean newIrq, boolean newFiq) {
            irq = newIrq;
            fiq = newFiq;
        }

        @Override
        public void interruptPending() {
            wakeUps++;
        }

        @Override
        public void mpidr(long value) {
            mpidr = value;
        }
    }

    private static final class Source extends VirqSource {
        private boolean level;
        private boolean lastReasserted;
        private Runnable onCheck = () -> { };

        @Override
        public boolean checkPending(boolean reasserted) {
            lastReasserted = reasserted;
            onCheck.run();
            return level;
        }
    }

    @BeforeEach
    void linuxBringsItUp() {
        vic.configure(4, Vic.MAX_SPIS + 64, 2, 0);
        vic.mapMpidr(0x7FFF, 0, 8, 16, 24, 0);
        assertThat(vic.activate()).isEqualTo(HypError.OK);
        for (int i = 0; i < 4; i++) {
            targets.add(new Target());
            assertThat(vic.attach(targets.get(i), i)).isEqualTo(HypError.OK);
        }
        distributor = vic.frame(0);
        distributor.write(0, GICD_CTLR, 4, 0x13);
        for (int first = 32; first < 992; first += 32) {
            distributor.write(0, 0x80 + first / 8, 4, -1);
        }
        for (int line = 32; line < 1020; line += 4) {
            distributor.write(0, 0x400 + line, 4, 0xA0A0_A0A0L);
        }
        for (int i = 0; i < 4; i++) {
            MmioDevice frame = vic.frame(i + 1);
            redistributors.add(frame);
            frame.write(i, GICR_WAKER, 4, 0);
            frame.write(i, GICR_SGI + 0x80, 4, -1);
            for (int line = 0; line < 32; line += 4) {
                frame.write(i, GICR_SGI + 0x400 + line, 4, 0xA0A0_A0A0L);
            }
            write(i, IccRegister.PMR, 0xF0);
            write(i, IccRegister.IGRPEN1, 1);
        }
    }

    private long read(int cpu, IccRegister register) {
        return vic.readIcc(cpu, register.key);
    }

    private void write(int cpu, IccRegister register, long value) {
        vic.writeIcc(cpu, register.key, value);
    }

    private void enable(int intid) {
        distributor.write(0, GICD_ISENABLER + intid / 32 * 4, 4, 1L << intid % 32);
    }

    private void disable(int intid) {
        distributor.write(0, GICD_ICENABLER + intid / 32 * 4, 4, 1L << intid % 32);
    }

    private void makeEdge(int intid) {
        long old = distributor.read(0, GICD_ICFGR + intid / 16 * 4, 4);
        distributor.write(0, GICD_ICFGR + intid / 16 * 4, 4, old | 2L << intid % 16 * 2);
    }

    private Source bound(int intid) {
        Source source = new Source();
        assertThat(vic.bind(source, intid)).isEqualTo(HypError.OK);
        return source;
    }

    @Test
    void registersReadBackWhatLinuxExpects() {
        assertThat(distributor.read(0, GICD_CTLR, 4)).isEqualTo(0x53);
        assertThat(distributor.read(0, GICD_TYPER, 4) & 0x1F).isEqualTo(31);
        assertThat(distributor.read(0, GICD_TYPER, 4) >>> 27).isEqualTo(1);
        assertThat(distributor.read(0, 0xFFE8, 4)).isEqualTo(0x30);
        assertThat(distributor.read(0, 0xC, 4)).isZero();
        assertThat(redistributors.get(0).read(0, 0x8, 8)).isZero();
        assertThat(redistributors.get(3).read(0, 0x8, 8)).isEqualTo(3L << 32 | 3 << 8 | 1 << 4);
        assertThat(redistributors.get(1).read(1, GICR_WAKER, 4)).isZero();
        assertThat(targets.get(2).mpidr).isEqualTo(0x8000_0002L);
        assertThat(read(0, IccRegister.SRE)).isEqualTo(7);
        assertThat(read(0, IccRegister.CTLR) & 0x700).isEqualTo(0x400);
        assertThat(read(0, IccRegister.PMR)).isEqualTo(0xF0);
        assertThat(read(0, IccRegister.RPR)).isEqualTo(0xFF);
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
        assertThat(targets.getFirst().irq).isFalse();
        write(0, IccRegister.DIR, SPI);

        assertThat(targets.getFirst().irq).isTrue();
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
    void aSleepingRedistributorDeliversNothing() {
        enable(SPI);
        redistributors.getFirst().write(0, GICR_WAKER, 4, 2);
        Source source = bound(SPI);

        source.assertVirq(false);
        assertThat(targets.getFirst().irq).isFalse();
        redistributors.getFirst().write(0, GICR_WAKER, 4, 0);

        assertThat(targets.getFirst().irq).isTrue();
    }

    @Test
    void disablingWithdrawsWhatWasPending() {
        enable(SPI);
        Source source = bound(SPI);
        source.assertVirq(false);
        assertThat(targets.getFirst().irq).isTrue();

        disable(SPI);
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
}
