package gunyah.hyp.vcpu;

import java.util.function.LongSupplier;

/**
 * Guesses whether a vCPU that waits for an interrupt will be woken at once, from how long it waited last time: two
 * guests that answer each other wait some microseconds, where waking a thread takes a hundred; a guest at its prompt
 * waits for milliseconds and must not spin. Owned by the vCPU's thread.
 */
final class WaitHistory {
    /** What spinning covers, and the wake-up of a thread that did not spin. */
    private static final long BRIEF_NS = 250_000;

    private final LongSupplier clock;
    private boolean waiting;
    private boolean brief;
    private long beganNs;

    /** @param clock monotonic nanoseconds */
    WaitHistory(LongSupplier clock) {
        this.clock = clock;
    }

    /** A wait begins. {@return whether it will be brief} */
    boolean begin() {
        waiting = true;
        beganNs = clock.getAsLong();
        return brief;
    }

    /** The vCPU executes again. */
    void end() {
        if (waiting) {
            waiting = false;
            brief = clock.getAsLong() - beganNs < BRIEF_NS;
        }
    }
}
