package gunyah.hyp.timer;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one timer of a hypervisor: a thread that sleeps until the earliest deadline. Arming a deadline that is not the
 * earliest does not wake it. Alarms fire outside the lock, so they may arm others.
 */
public final class TimerThread implements Alarms, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TimerThread.class);

    private final LongSupplier clock;
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition earlier = lock.newCondition();
    private final Thread thread;
    private boolean closed;

    private TimerThread(LongSupplier clock, String name) {
        this.clock = clock;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /**
     * Starts the thread.
     *
     * @param clock nanoseconds that advance in real time
     * @param name  of the thread, for people
     */
    public static TimerThread start(LongSupplier clock, String name) {
        TimerThread timer = new TimerThread(clock, name);
        timer.thread.start();
        return timer;
    }

    @Override
    public Alarm create(Runnable onFire) {
        return new Deadline(onFire);
    }

    @Override
    public long now() {
        return clock.getAsLong();
    }

    /** Stops the thread; alarms armed from now on never fire. Returns when no alarm is running any more. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            earlier.signal();
        } finally {
            lock.unlock();
        }
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (true) {
            Alarm due = awaitDue();
            if (due == null) {
                return;
            }
            try {
                due.onFire.run();
            } catch (RuntimeException e) {
                // One faulty alarm must not take the time of every other VM away.
                LOG.error("an alarm failed", e);
            }
        }
    }

    private Alarm awaitDue() {
        lock.lock();
        try {
            while (!closed) {
                Alarm first = deadlines.first();
                if (first == null) {
                    earlier.awaitUninterruptibly();
                    continue;
                }
                long left = first.deadlineNs - clock.getAsLong();
                if (left <= 0) {
                    deadlines.remove(first);
                    return first;
                }
                earlier.await(left, TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            LOG.error("the timer thread was interrupted and stops", e);
        } finally {
            lock.unlock();
        }
        return null;
    }

    private final class Deadline extends Alarm {
        private Deadline(Runnable onFire) {
            super(onFire);
        }

        @Override
        public void arm(long newDeadlineNs) {
            lock.lock();
            try {
                if (newDeadlineNs == deadlineNs || closed) {
                    return;
                }
                deadlines.set(this, newDeadlineNs);
                if (deadlines.first() == this) {
                    earlier.signal();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void disarm() {
            lock.lock();
            try {
                deadlines.remove(this);
            } finally {
                lock.unlock();
            }
        }
    }
}
