package gunyah.hyp.vic;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.VirqSource;
import gunyah.hyp.addrspace.MmioDevice;
import java.util.ArrayList;
import java.util.List;

/** A controller with vCPUs that only note what reaches them, and the guest's accesses to it in one line each. */
final class VicBoard {
    static final int GICD_CTLR = 0x0;
    static final int GICD_ISENABLER = 0x100;
    static final int GICD_ICENABLER = 0x180;
    static final int GICD_ICFGR = 0xC00;
    static final int GICD_IROUTER = 0x6000;
    static final int GICR_WAKER = 0x14;
    static final int GICR_SGI = 0x1_0000;
    static final int SPURIOUS = 1023;

    final Vic vic = new Vic(20, null);
    final List<Target> targets = new ArrayList<>();
    final List<MmioDevice> redistributors = new ArrayList<>();
    final MmioDevice distributor;

    /** A vCPU. */
    static final class Target implements VicTarget {
        boolean irq;
        boolean fiq;
        int wakeUps;
        long mpidr;

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

    /** A source whose level the test sets. */
    static final class Source extends VirqSource {
        boolean level;
        boolean lastReasserted;
        int checks;
        Runnable onCheck = () -> { };

        @Override
        public boolean checkPending(boolean reasserted) {
            checks++;
            lastReasserted = reasserted;
            onCheck.run();
            return level;
        }
    }

    /** A controller as it is after activation, Aff0 = index. */
    VicBoard(int vcpus, int virqs) {
        this(vcpus, virqs, 0x7FFF, 0, 8);
    }

    /** As above with affinity fields 0 and 1 of this mask and these shifts. */
    VicBoard(int vcpus, int virqs, int mask, int shift0, int shift1) {
        vic.configure(vcpus, virqs, 2, 0);
        vic.mapMpidr(mask, shift0, shift1, 16, 24, 0);
        assertThat(vic.activate()).isEqualTo(HypError.OK);
        for (int i = 0; i < vcpus; i++) {
            targets.add(new Target());
            assertThat(vic.attach(targets.get(i), i)).isEqualTo(HypError.OK);
            redistributors.add(vic.frame(i + 1));
        }
        distributor = vic.frame(0);
    }

    /** Everything in group 1 at priority 0xA0, CPU interfaces on: what Linux does first. */
    VicBoard up() {
        distributor.write(0, GICD_CTLR, 4, 0x13);
        for (int first = 32; first < 1020; first += 32) {
            distributor.write(0, 0x80 + first / 8, 4, -1);
        }
        for (int line = 32; line < 1020; line += 4) {
            distributor.write(0, 0x400 + line, 4, 0xA0A0_A0A0L);
        }
        for (int i = 0; i < redistributors.size(); i++) {
            MmioDevice frame = redistributors.get(i);
            frame.write(i, GICR_WAKER, 4, 0);
            frame.write(i, GICR_SGI + 0x80, 4, -1);
            for (int line = 0; line < 32; line += 4) {
                frame.write(i, GICR_SGI + 0x400 + line, 4, 0xA0A0_A0A0L);
            }
            write(i, IccRegister.PMR, 0xF0);
            write(i, IccRegister.IGRPEN1, 1);
        }
        return this;
    }

    long read(int cpu, IccRegister register) {
        return vic.readIcc(cpu, register.key);
    }

    void write(int cpu, IccRegister register, long value) {
        vic.writeIcc(cpu, register.key, value);
    }

    /** Sets the SPI's bit in a register array with one bit per line. */
    void setBit(int array, int intid) {
        distributor.write(0, array + intid / 32 * 4, 4, 1L << intid % 32);
    }

    /** {@return the SPI's bit in such an array} */
    boolean bit(int array, int intid) {
        return (distributor.read(0, array + intid / 32 * 4, 4) >>> intid % 32 & 1) != 0;
    }

    void enable(int intid) {
        setBit(GICD_ISENABLER, intid);
    }

    void disable(int intid) {
        setBit(GICD_ICENABLER, intid);
    }

    void makeEdge(int intid, boolean edge) {
        int offset = GICD_ICFGR + intid / 16 * 4;
        long bit = 2L << intid % 16 * 2;
        long old = distributor.read(0, offset, 4);
        distributor.write(0, offset, 4, edge ? old | bit : old & ~bit);
    }

    void priority(int intid, int value) {
        distributor.write(0, 0x400 + intid, 1, value);
    }

    void route(int intid, long affinity) {
        distributor.write(0, GICD_IROUTER + 8 * intid, 8, affinity);
    }

    Source bound(int intid) {
        Source source = new Source();
        assertThat(vic.bind(source, intid)).isEqualTo(HypError.OK);
        return source;
    }
}
