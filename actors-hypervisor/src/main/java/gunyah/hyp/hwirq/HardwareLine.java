package gunyah.hyp.hwirq;

/**
 * The interrupt wire of one device of the machine, as its model in Java drives it. Where it ends, the owner of the
 * interrupt decides: a device does not learn to whom it is bound, nor whether. Thread safe, never blocks; not from an
 * object actor's turn.
 */
public interface HardwareLine {
    /** {@return the interrupt's number at the machine's interrupt controller} */
    int intid();

    /** The wire goes high, and stays. For a level-triggered interrupt it is asserted until {@link #lower}. */
    void raise();

    /**
     * The wire goes low. An interrupt that was already passed on stays pending until its taker ends it, so it may be
     * taken once in vain, as on hardware.
     */
    void lower();

    /** A rising edge without a level, for edge-triggered interrupts. */
    void pulse();
}
