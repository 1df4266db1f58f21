package gunyah.hyp.timer;

import java.util.function.LongSupplier;

/**
 * The system counter of the machine, CNTPCT = CNTVCT for every VM (CNTVOFF_EL2 is 0): 62.5 MHz, one tick is exactly 16
 * ns. Starts at 0 when it is made. Source: Gunyah hyp/vm/arm_vm_timer, QEMU platform.
 */
public final class SystemCounter {
    /** Ticks per second, CNTFRQ_EL0. */
    public static final long FREQUENCY_HZ = 62_500_000;

    private static final int NS_PER_TICK_LOG2 = 4;

    private final LongSupplier clock;
    private final long originNs;

    public SystemCounter(LongSupplier clock) {
        this.clock = clock;
        this.originNs = clock.getAsLong();
    }

    /** {@return the counter, ticks} */
    public long ticks() {
        return clock.getAsLong() - originNs >>> NS_PER_TICK_LOG2;
    }

    /**
     * {@return the clock time at which the counter reaches {@code ticks}, {@link Alarm#NEVER} when it never does}
     *
     * @param ticks unsigned
     */
    public long clockAt(long ticks) {
        // Beyond 2^58 ticks the clock's nanoseconds would overflow: some 146 years, never as far as a machine goes.
        return ticks >>> 58 != 0 ? Alarm.NEVER : (ticks << NS_PER_TICK_LOG2) + originNs;
    }
}
