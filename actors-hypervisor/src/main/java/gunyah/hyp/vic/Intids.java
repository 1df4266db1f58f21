package gunyah.hyp.vic;

/**
 * Which interrupts a controller has, and their numbers inside it: INTIDs 0..1019 are slots of the same number, extended
 * SPIs 4096.. follow as slots 1020.. (IHI 0069, 2.2). All SPIs are there for software; sources are bound to those that
 * the controller was configured for.
 *
 * @param virqs SPIs that sources may be bound to, the extended ones included
 */
record Intids(int virqs) {
    static final int FIRST_PPI = 16;
    static final int FIRST_SPI = 32;
    /** First slot that is an extended SPI. */
    static final int SPI_END = 1020;
    static final int FIRST_EXTENDED_SPI = 4096;
    /** ICC_IAR and ICC_HPPIR when there is nothing. */
    static final int SPURIOUS = 1023;
    static final int NOT_A_SLOT = -1;

    /** The INTID of a virq_info word. */
    private static final int VIRQ_INTID = 0xFF_FFFF;

    int slots() {
        return FIRST_SPI + Math.max(virqs, Vic.MAX_SPIS);
    }

    int extendedSpis() {
        return Math.max(virqs - Vic.MAX_SPIS, 0);
    }

    boolean extended() {
        return virqs > Vic.MAX_SPIS;
    }

    /** {@return the slot of an INTID, or {@link #NOT_A_SLOT} when this controller does not have it} */
    int slot(int intid) {
        int slot = intid < SPI_END ? intid
                : intid >= FIRST_EXTENDED_SPI ? intid - FIRST_EXTENDED_SPI + SPI_END : NOT_A_SLOT;
        return slot >= 0 && slot < slots() ? slot : NOT_A_SLOT;
    }

    /** {@return as {@link #slot} for the INTID of a virq_info} */
    int slotOfVirq(int virq) {
        return slot(virq & VIRQ_INTID);
    }

    /** {@return whether a source may be bound to the slot as to an SPI} */
    boolean bindable(int slot) {
        return slot >= FIRST_SPI && slot < FIRST_SPI + virqs;
    }

    static int intid(int slot) {
        return slot < SPI_END ? slot : slot - SPI_END + FIRST_EXTENDED_SPI;
    }
}
