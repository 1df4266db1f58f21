package gunyah.hyp.timer;

/**
 * Alarms on a clock that somebody advances by hand, on the advancing thread: deterministic tests and, later, virtual
 * time. Confined to one thread.
 */
public final class ManualAlarms implements Alarms {
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private long nowNs;

    @Override
    public Alarm create(Runnable onFire) {
        return new ManualAlarm(onFire);
    }

    @Override
    public long now() {
        return nowNs;
    }

    /** {@return the earliest deadline, or {@link Alarm#NEVER}} */
    public long nextDeadline() {
        Alarm first = deadlines.first();
        return first == null ? Alarm.NEVER : first.deadlineNs;
    }

    /** Moves time to {@code toNs} and fires what becomes due on the way, each at its own deadline. */
    public void advanceTo(long toNs) {
        while (nextDeadline() <= toNs) {
            Alarm due = deadlines.first();
            nowNs = Math.max(nowNs, due.deadlineNs);
            deadlines.remove(due);
            due.onFire.run();
        }
        nowNs = Math.max(nowNs, toNs);
    }

    private final class ManualAlarm extends Alarm {
        private ManualAlarm(Runnable onFire) {
            super(onFire);
        }

        @Override
        public void arm(long newDeadlineNs) {
            deadlines.set(this, newDeadlineNs);
        }

        @Override
        public void disarm() {
            deadlines.remove(this);
        }
    }
}
