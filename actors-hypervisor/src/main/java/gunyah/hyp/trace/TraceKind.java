package gunyah.hyp.trace;

/** What the hypervisor traces. The ordinal is the number in a {@link TraceRecord}. */
public enum TraceKind {
    /** A thread got its physical CPU; a: 0, or 1 + VMID shifted by 16 + index of the one on whose slice it runs. */
    RUN,
    /** It gave the CPU back; detail: a {@link TraceSink.Stop}. */
    STOP,
    /** Guest code made a call by HVC or SMC, and it is done; a: PC after it, b: function, c: X0; detail 1: native. */
    HYPERCALL,
    /** Guest code missed stage 2; a: PC, b: IPA, c: access bit; detail: a {@link TraceSink.Fault}. */
    STAGE2_FAULT,
    /** WFI without a pending interrupt, or a Java VM's vCPU without work; a: PC. */
    WFI,
    /** detail: a {@link TraceSink.Power}. */
    POWER,
    /** A line into a VM was asserted; a: INTID. */
    VIRQ;

    /** First number of kinds that belong to the layers above. */
    public static final int FIRST_FOREIGN = 64;

    private static final TraceKind[] ALL = values();

    /** {@return the kind, or null for a foreign number} */
    public static TraceKind of(int number) {
        return number < ALL.length ? ALL[number] : null;
    }
}
