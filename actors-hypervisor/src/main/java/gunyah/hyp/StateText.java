package gunyah.hyp;

/**
 * Takes down the state of one kernel object, one line for each field, in an order that depends on the state alone: equal
 * states give equal text. Numbers are hexadecimal. Counters, caches and what passes by itself (registers of a running
 * vCPU, timers, statistics) are no state. One thread.
 */
public final class StateText {
    private final StringBuilder text = new StringBuilder();

    /** {@return this, with the number noted} */
    public StateText put(String field, long value) {
        text.append(field).append(" 0x");
        hex(value);
        text.append('\n');
        return this;
    }

    public StateText put(String field, boolean value) {
        text.append(field).append(value ? " yes\n" : " no\n");
        return this;
    }

    public StateText put(String field, String value) {
        text.append(field).append(' ').append(value).append('\n');
        return this;
    }

    /** Notes a reference to an object; null is a state too. */
    public StateText put(String field, KernelObject object) {
        text.append(field).append(' ');
        if (object == null) {
            text.append("none");
        } else {
            text.append(object.type()).append('#').append(object.id());
        }
        text.append('\n');
        return this;
    }

    /** Notes where an interrupt line goes. */
    public StateText put(String field, VirqSource line) {
        VirqController controller = line.boundController();
        if (controller == null) {
            return put(field, "unbound");
        }
        return put(field, controller instanceof KernelObject vic ? vic : null).put(field + ".virq", line.boundVirq());
    }

    /** Notes a run of pages that go somewhere: where they begin, how many bytes, where to and with what bits. */
    public StateText run(String field, long from, long length, long to, long bits) {
        text.append(field).append(" 0x");
        hex(from);
        text.append("+0x");
        hex(length);
        text.append(" to 0x");
        hex(to);
        text.append(" bits 0x");
        hex(bits);
        text.append('\n');
        return this;
    }

    // Long.toHexString would make a string for each of the many numbers of a machine
    private void hex(long value) {
        for (int shift = 60 - (Long.numberOfLeadingZeros(value | 1) & ~3); shift >= 0; shift -= 4) {
            text.append(Character.forDigit((int) (value >>> shift) & 15, 16));
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
