package gunyah.vmm.device;

/** A block of registers in guest physical memory. Thread safe; called on host CPUs, must not block. */
public interface MmioDevice {
    /** {@return for people and statistics} */
    String name();

    /**
     * A load.
     *
     * @param offset bytes from the device's base
     * @param size   1, 2, 4 or 8 bytes
     * @return the value, zero extended
     */
    long read(long offset, int size);

    /** A store; {@code value} is zero extended. */
    void write(long offset, int size, long value);
}
