package gunyah.hyp.timer;

/** Where alarms come from: the timer thread, or a clock driven by hand. Thread safe. */
public interface Alarms {
    /**
     * Makes an alarm, not armed.
     *
     * @param onFire runs on the timer's thread when the deadline has passed; must be quick and must not block. It may
     *               run once more after {@link Alarm#disarm} or a re-arming that raced with it
     */
    Alarm create(Runnable onFire);

    /** {@return the time that deadlines are compared with, nanoseconds of an arbitrary origin} */
    long now();
}
