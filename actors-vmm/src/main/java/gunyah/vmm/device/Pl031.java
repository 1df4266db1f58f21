package gunyah.vmm.device;

import java.time.InstantSource;

/**
 * Arm PrimeCell real time clock, PL031 (DDI 0224, chapter 3): seconds since 1970, and a match interrupt. The match is
 * found by {@link #tick}, which the machine calls at the time {@link #alarm} names.
 */
public final class Pl031 implements MmioDevice {
    /** {@link #alarm} without an alarm. */
    public static final long NO_ALARM = -1;

    private static final int DR = 0x00;
    private static final int MR = 0x04;
    private static final int LR = 0x08;
    private static final int CR = 0x0c;
    private static final int IMSC = 0x10;
    private static final int RIS = 0x14;
    private static final int MIS = 0x18;
    private static final int ICR = 0x1c;

    /** Told when the next match may have changed. */
    public interface AlarmObserver {
        void alarmChanged();
    }

    private final InstantSource clock;
    private final InterruptLine interrupt;
    private final AlarmObserver observer;
    private final PrimeCellId id = new PrimeCellId(0x00041031);
    private long offsetSeconds;
    private int match;
    private int load;
    private int imsc;
    private boolean matched;

    public Pl031(InstantSource clock, InterruptLine interrupt, AlarmObserver observer) {
        this.clock = clock;
        this.interrupt = interrupt;
        this.observer = observer;
    }

    @Override
    public String name() {
        return "pl031";
    }

    private int now() {
        return (int) (clock.instant().getEpochSecond() + offsetSeconds);
    }

    /** {@return seconds until the match, at least 1; {@link #NO_ALARM} when no interrupt could come of it} */
    public synchronized long alarm() {
        return imsc == 0 || matched ? NO_ALARM : Math.max(1, match - now() & 0xffff_ffffL);
    }

    /** Looks whether the match time has come. */
    public synchronized void tick() {
        if (imsc != 0 && !matched && now() - match >= 0) {
            matched = true;
            interrupt.raise();
        }
    }

    @Override
    public synchronized long read(long offset, int size) {
        return switch ((int) offset) {
            case DR -> now() & 0xffff_ffffL;
            case MR -> match & 0xffff_ffffL;
            case LR -> load & 0xffff_ffffL;
            case CR -> 1;
            case IMSC -> imsc;
            case RIS -> matched ? 1 : 0;
            case MIS -> matched ? imsc : 0;
            default -> id.read(offset);
        };
    }

    @Override
    public void write(long offset, int size, long value) {
        store((int) offset, (int) value);
        if (offset == MR || offset == LR || offset == IMSC || offset == ICR) {
            observer.alarmChanged();
        }
    }

    private synchronized void store(int offset, int word) {
        switch (offset) {
            case MR -> match = word;
            case LR -> {
                load = word;
                offsetSeconds = (word & 0xffff_ffffL) - clock.instant().getEpochSecond();
            }
            case IMSC -> imsc = word & 1;
            case ICR -> matched &= (word & 1) == 0;
            default -> { }
        }
    }
}
