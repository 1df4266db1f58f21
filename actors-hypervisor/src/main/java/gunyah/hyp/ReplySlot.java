package gunyah.hyp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Where a thread waits for an actor's answer to a hypercall: one per thread, used again and again, no allocation.
 * Because object actors run on the sender's thread when they are free, the answer is usually there before
 * {@link #await} is called; otherwise the thread spins a little and parks. Armed and awaited by its thread only,
 * answered once per arming by any thread.
 */
public final class ReplySlot {
    private static final int ARMED = 0;
    private static final int PARKED = 1;
    private static final int DONE = 2;
    private static final int SPINS = 200;
    private static final long LOST_NS = 60_000_000_000L;
    private static final ThreadLocal<ReplySlot> OF_THREAD = ThreadLocal.withInitial(ReplySlot::new);
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(ReplySlot.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread owner = Thread.currentThread();
    private int state = DONE;
    private boolean interrupted;
    private HypError error;
    private RuntimeException failure;
    private long first;
    private long second;
    private long third;

    /** {@return the calling thread's slot, ready to be answered} */
    public static ReplySlot arm() {
        ReplySlot slot = OF_THREAD.get();
        // a hypercall is not interruptible: sending and waiting would trip over the flag, so await puts it back
        slot.interrupted = Thread.interrupted();
        slot.failure = null;
        STATE.setOpaque(slot, ARMED);
        return slot;
    }

    /** Answers with an error code only. */
    public void reply(HypError result) {
        reply(result, 0, 0, 0);
    }

    public void reply(HypError result, long value) {
        reply(result, value, 0, 0);
    }

    public void reply(HypError result, long value1, long value2) {
        reply(result, value1, value2, 0);
    }

    /** Answers. The first answer of an arming counts. */
    public void reply(HypError result, long value1, long value2, long value3) {
        if ((int) STATE.getOpaque(this) == DONE) {
            return;
        }
        error = result;
        first = value1;
        second = value2;
        third = value3;
        // release: pairs with the acquire in await, which then reads the results
        if ((int) STATE.getAndSet(this, DONE) == PARKED) {
            LockSupport.unpark(owner);
        }
    }

    /** Answers that the call broke: {@link #await} throws it at the caller, whose VM it concerns. */
    public void fail(RuntimeException bug) {
        if ((int) STATE.getOpaque(this) != DONE) {
            failure = bug;
            reply(HypError.FAILURE);
        }
    }

    /**
     * Waits for the answer.
     *
     * @return its error code
     * @throws RuntimeException      what {@link #fail} was given
     * @throws IllegalStateException when none comes for a minute: the object's actor has failed
     */
    public HypError await() {
        try {
            waitForAnswer();
        } finally {
            if (interrupted) {
                owner.interrupt();
            }
        }
        if (failure != null) {
            throw failure;
        }
        return error;
    }

    private void waitForAnswer() {
        for (int i = 0; i < SPINS; i++) {
            if ((int) STATE.getAcquire(this) == DONE) {
                return;
            }
            Thread.onSpinWait();
        }
        if (!STATE.compareAndSet(this, ARMED, PARKED)) {
            return;
        }
        long deadline = System.nanoTime() + LOST_NS;
        while ((int) STATE.getAcquire(this) != DONE) {
            LockSupport.parkNanos(this, LOST_NS);
            interrupted |= Thread.interrupted();
            if (System.nanoTime() - deadline > 0 && (int) STATE.getAcquire(this) != DONE) {
                // a late answer must not hit the thread's next call
                OF_THREAD.remove();
                throw new IllegalStateException("an object actor did not answer");
            }
        }
    }

    /** {@return the first result of the last answer} */
    public long first() {
        return first;
    }

    public long second() {
        return second;
    }

    public long third() {
        return third;
    }
}
