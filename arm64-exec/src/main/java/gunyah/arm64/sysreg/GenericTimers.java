package gunyah.arm64.sysreg;

import gunyah.arm64.state.CpuPort;

/**
 * The EL1 virtual and physical timers of one vCPU (Arm ARM DDI 0487, D12). CNTVOFF is zero, so both compare with the
 * same counter. Purely passive: the owner asks for the lines and for the next deadline, and hears of every write
 * through {@link CpuPort#timerProgrammed}. Owned by the vCPU's thread; times are counter ticks.
 */
public final class GenericTimers {
    /** CNTFRQ_EL0 of the modelled platform. */
    public static final long FREQUENCY_HZ = 62_500_000;

    private static final int ENABLE = 1;
    private static final int IMASK = 2;
    private static final int ISTATUS = 4;

    private final CpuPort port;
    private final Timer virtual = new Timer();
    private final Timer physical = new Timer();

    /** One comparator. */
    private static final class Timer {
        int control;
        long compare;

        boolean fired(long now) {
            // the comparison is unsigned over 64 bits (CVAL of all ones is "never")
            return (control & ENABLE) != 0 && Long.compareUnsigned(now, compare) >= 0;
        }

        boolean line(long now) {
            return (control & IMASK) == 0 && fired(now);
        }

        long deadline() {
            if ((control & (ENABLE | IMASK)) != ENABLE || compare < 0) {
                return Long.MAX_VALUE;
            }
            return compare;
        }
    }

    GenericTimers(CpuPort port) {
        this.port = port;
    }

    /** {@return the level of the virtual timer's interrupt (PPI 27) at counter value {@code now}} */
    public boolean virtualLine(long now) {
        return virtual.line(now);
    }

    /** {@return the level of the physical timer's interrupt (PPI 30) at counter value {@code now}} */
    public boolean physicalLine(long now) {
        return physical.line(now);
    }

    /**
     * {@return the counter value at which a line rises, or rose if it is high; {@link Long#MAX_VALUE} when neither
     * timer can interrupt}
     */
    public long nextDeadline() {
        return Math.min(virtual.deadline(), physical.deadline());
    }

    /** Disables both timers, as when the vCPU powers off. */
    public void reset() {
        virtual.control = 0;
        physical.control = 0;
        port.timerProgrammed();
    }

    private Timer timer(boolean virtualTimer) {
        return virtualTimer ? virtual : physical;
    }

    long control(boolean virtualTimer) {
        Timer timer = timer(virtualTimer);
        return timer.control | (timer.fired(port.counter()) ? ISTATUS : 0);
    }

    long compare(boolean virtualTimer) {
        return timer(virtualTimer).compare;
    }

    long value(boolean virtualTimer) {
        return timer(virtualTimer).compare - port.counter() & 0xFFFF_FFFFL;
    }

    void writeControl(boolean virtualTimer, long value) {
        timer(virtualTimer).control = (int) value & (ENABLE | IMASK);
        port.timerProgrammed();
    }

    void writeCompare(boolean virtualTimer, long value) {
        timer(virtualTimer).compare = value;
        port.timerProgrammed();
    }

    void writeValue(boolean virtualTimer, long value) {
        writeCompare(virtualTimer, port.counter() + (int) value);
    }
}
