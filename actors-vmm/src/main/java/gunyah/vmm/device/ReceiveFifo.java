package gunyah.vmm.device;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What was typed at a UART. It waits without limit outside the FIFO, and comes in while the guest listens: when it has
 * enabled the receive interrupt, or once it has polled {@link #POLLS_TO_RECEIVE} times in a row. Linux empties the FIFO
 * when it opens the port, so what came in before would be lost. Not thread safe: its device's.
 */
final class ReceiveFifo {
    static final int POLLS_TO_RECEIVE = 16;

    private final Deque<Byte> typed = new ArrayDeque<>();
    private final Deque<Byte> fifo = new ArrayDeque<>();
    private int idlePolls;

    void type(byte[] input) {
        for (byte value : input) {
            typed.add(value);
        }
    }

    /** {@return typed bytes that the guest has not read} */
    int untaken() {
        return typed.size() + fifo.size();
    }

    /**
     * Moves typed bytes into the FIFO while the guest is ready for them.
     *
     * @param interrupts whether the receive interrupt is enabled
     * @return whether any came in
     */
    boolean receive(boolean interrupts, int depth) {
        boolean came = false;
        while ((interrupts || idlePolls >= POLLS_TO_RECEIVE) && fifo.size() < depth && !typed.isEmpty()) {
            came = fifo.add(typed.remove());
        }
        return came;
    }

    /** The guest looks whether a byte is there. {@return whether it has done so in vain long enough to listen} */
    boolean polled() {
        return fifo.isEmpty() && !typed.isEmpty() && ++idlePolls >= POLLS_TO_RECEIVE;
    }

    /** The guest transmits, so it does not only poll. */
    void transmitting() {
        idlePolls = 0;
    }

    /** In loopback: what is transmitted is received. {@return whether there was room} */
    boolean loop(int value, int depth) {
        return fifo.size() < depth && fifo.add((byte) value);
    }

    /** {@return the next byte, null when none came in} */
    Byte take() {
        return fifo.poll();
    }

    int size() {
        return fifo.size();
    }

    boolean isEmpty() {
        return fifo.isEmpty();
    }

    void clear() {
        fifo.clear();
    }
}
