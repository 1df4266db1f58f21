package gunyah.vmm.driver;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What the host does at each of its interrupts. Handlers run on the asserting thread and only hand on. An INTID nobody
 * listens to is ignored, as a disabled interrupt is.
 */
final class InterruptTable {
    private static final int SPI_FIRST = 32;
    private static final int SPI_LAST = 1019;
    private static final int ESPI_FIRST = 4096;
    private static final int ESPI_LAST = 5119;

    private final AtomicReferenceArray<Runnable> handlers = new AtomicReferenceArray<>(ESPI_LAST + 1);

    /** {@return whether RM may name this INTID as a resource's interrupt (gic_irq translation of the v17 review)} */
    static boolean isShared(int intid) {
        return intid >= SPI_FIRST && intid <= SPI_LAST || intid >= ESPI_FIRST && intid <= ESPI_LAST;
    }

    /** @return whether the INTID was free and legal */
    boolean request(int intid, Runnable handler) {
        return isShared(intid) && handlers.compareAndSet(intid, null, handler);
    }

    /** Removes the handler if it is still this one. */
    void free(int intid, Runnable handler) {
        handlers.compareAndSet(intid, handler, null);
    }

    void raise(int intid) {
        Runnable handler = isShared(intid) ? handlers.get(intid) : null;
        if (handler != null) {
            handler.run();
        }
    }
}
