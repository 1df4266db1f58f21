package gunyah.hyp;

/** What a {@link VirqSource} needs of the virtual interrupt controller it is bound to; implemented by the VIC. */
public interface VirqController {
    /**
     * Connects a source to an SPI.
     *
     * @param virq virq_info as in the hypercall: INTID in bits 23:0, vCPU index in 31:24 (private interrupts only)
     * @return OK, VIRQ_BOUND (source already bound), BUSY (INTID taken), ARGUMENT_INVALID (not a legal INTID)
     */
    HypError bind(VirqSource source, int virq);

    /** Disconnects; idempotent; returns when no delivery is in flight. */
    void unbind(VirqSource source);

    void assertSource(VirqSource source, boolean edgeOnly);

    void clearSource(VirqSource source);
}
