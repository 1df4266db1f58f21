package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import gunyah.vmm.driver.RunPage;
import java.util.Arrays;

/**
 * One vCPU of the probe program, run by the calling thread: a command is a series of MMIO exits at the program's port,
 * which this answers. Every other exit is the command's outcome and stays open for the test. One thread at a time.
 */
final class Probe {
    static final int EXIT_MMIO = 1;
    static final int EXIT_STATUS = 2;
    static final int EXIT_PAGE_FAULT = 3;
    private static final long PORT = 0x10000;
    private static final long PORT_END = PORT + 0x100;

    private static final int LOAD = 0;
    private static final int STORE = 1;
    private static final int CALL = 2;
    private static final int WAIT = 3;
    private static final int OPEN = 4;
    private static final int TAKE = 5;
    private static final int TOUCH = 6;
    private static final int REPEAT = 7;
    private static final int FILL = 8;
    private static final int SPIN = 9;

    /** How a command went. */
    sealed interface Outcome {
    }

    /** The program's result. */
    record Value(long value) implements Outcome {
    }

    /** The guest took an exception instead. */
    record Exception(long esr, long far) implements Outcome {
    }

    /** RUN returned 0 with something that is not the port's. */
    record Exit(int reason) implements Outcome {
    }

    /** RUN failed. */
    record Failed(int errno) implements Outcome {
    }

    final Client client;
    final int fd;
    final RunPage page;
    private long[] command = new long[0];
    private long esr;
    private final long[] results = new long[4];

    Probe(Client client, int fd) {
        assertThat(fd).as("descriptor of a vCPU").isPositive();
        this.client = client;
        this.fd = fd;
        this.page = client.page(fd);
    }

    private Outcome give(long... words) {
        command = words;
        return go();
    }

    /** Goes on after an exit that the test has answered. */
    Outcome go() {
        while (true) {
            long result = client.run(fd);
            if (result < 0) {
                return new Failed((int) -result);
            }
            if (page.exitReason() != EXIT_MMIO || page.address() < PORT || page.address() >= PORT_END) {
                return new Exit(page.exitReason());
            }
            int offset = (int) (page.address() - PORT);
            if (!page.mmioIsWrite()) {
                page.mmioData(argument(offset));
                continue;
            }
            long value = page.mmioData();
            switch (offset) {
                case 0x18 -> {
                    return new Value(value);
                }
                case 0x28 -> esr = value;
                case 0x30 -> {
                    return new Exception(esr, value);
                }
                case 0x38 -> {
                    return new Value(value);
                }
                case 0x80, 0x88, 0x90, 0x98 -> results[(offset - 0x80) / 8] = value;
                default -> fail("the probe wrote its port at 0x%x", offset);
            }
        }
    }

    private long argument(int offset) {
        int index = offset >= 0x40 ? 4 + (offset - 0x40) / 8 : offset == 0 ? 0 : offset == 0x20 ? 3 : offset / 8;
        return index < command.length ? command[index] : 0;
    }

    /** Runs until the program reports that it is up. */
    void awaitUp() {
        assertThat(go()).isInstanceOf(Value.class);
    }

    /** {@return the value loaded, or what came instead} */
    Outcome load(long address, int size) {
        return give(LOAD, address, size);
    }

    Outcome store(long address, int size, long value) {
        return give(STORE, address, size, value);
    }

    /** {@return the value loaded; fails for any other outcome} */
    long get(long address) {
        return value(load(address, 8));
    }

    void put(long address, long value) {
        value(store(address, 8, value));
    }

    static long value(Outcome outcome) {
        if (outcome instanceof Value value) {
            return value.value;
        }
        throw new AssertionError("not a value but " + outcome);
    }

    /** SMCCC call. {@return X0 to X3} */
    long[] call(long... x) {
        long[] words = new long[4 + x.length];
        words[0] = CALL;
        System.arraycopy(x, 0, words, 4, x.length);
        value(give(words));
        return results.clone();
    }

    /** As {@link #call}, for calls that do not come back. */
    Outcome lastCall(long... x) {
        long[] words = new long[4 + x.length];
        words[0] = CALL;
        System.arraycopy(x, 0, words, 4, x.length);
        return give(words);
    }

    Outcome waitForInterrupt() {
        return give(WAIT);
    }

    void openInterrupts() {
        value(give(OPEN));
    }

    /** {@return the INTID of the interrupt taken and ended, 1023 for none} */
    long takeInterrupt() {
        return value(give(TAKE));
    }

    Outcome touch(long from, long to) {
        return give(TOUCH, from, to);
    }

    Outcome repeat(long address, long count, long value) {
        return give(REPEAT, address, count, value);
    }

    Outcome fill(long from, long to, long value) {
        return give(FILL, from, to, value);
    }

    /** Executes for ever; ends by a kick only. */
    Outcome spin() {
        return give(SPIN);
    }

    /** {@return the 40 bytes that have a meaning} */
    byte[] pageBytes() {
        return Arrays.copyOf(page.bytes(), 40);
    }
}
