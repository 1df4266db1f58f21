package gunyah.hyp.timer;

/**
 * One deadline that can be armed again and again. Fires once per arming, never before its deadline. Thread safe; the
 * last arming wins.
 */
public abstract class Alarm {
    /** Deadline value of an alarm that is not armed. */
    public static final long NEVER = Long.MAX_VALUE;

    final Runnable onFire;
    /** Guarded by the lock of the {@link DeadlineHeap}'s owner. */
    long deadlineNs = NEVER;
    /** Position in the heap, -1 when not in it; guarded as {@link #deadlineNs}. */
    int position = -1;

    protected Alarm(Runnable onFire) {
        this.onFire = onFire;
    }

    /** Arms for {@code deadlineNs} in the time of {@link Alarms#now}; replaces an earlier deadline. */
    public abstract void arm(long deadlineNs);

    /** Takes the deadline away; nothing happens when not armed. */
    public abstract void disarm();
}
