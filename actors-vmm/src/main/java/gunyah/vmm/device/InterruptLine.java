package gunyah.vmm.device;

/** Where a device's interrupt goes. Any thread; must not block. */
@FunctionalInterface
public interface InterruptLine {
    /** Asserts the line once; a level-triggered user asserts it again when there is something new. */
    void raise();
}
