package gunyah.hyp.trace;

/**
 * One event as it is read.
 *
 * @param ns     nanoseconds since the trace began
 * @param pcpu   physical CPU that its thread had, -1 for none
 * @param kind   a {@link TraceKind} by its ordinal, or a number from {@link TraceKind#FIRST_FOREIGN} on
 * @param vmid   of the VM it is about, -1 for none
 * @param vcpu   index in the VM, -1 for none
 * @param detail 8 bits that the kind explains, as {@code a}, {@code b} and {@code c}
 */
public record TraceRecord(long ns, int pcpu, int kind, int vmid, int vcpu, int detail, long a, long b, long c) {
    private static final int DETAIL = 8;
    private static final int VCPU = 16;
    private static final int VMID = 32;

    /** The word with everything small. */
    static long what(int kind, int vmid, int vcpu, int detail) {
        return kind & 0xFFL | (detail & 0xFFL) << DETAIL | (vcpu & 0xFFFFL) << VCPU | (long) vmid << VMID;
    }

    static TraceRecord of(long ns, int pcpu, long what, long a, long b, long c) {
        return new TraceRecord(ns, pcpu, (int) what & 0xFF, (int) (what >> VMID), (short) (what >> VCPU),
                (int) (what >> DETAIL) & 0xFF, a, b, c);
    }
}
