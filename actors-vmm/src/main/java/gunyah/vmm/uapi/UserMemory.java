package gunyah.vmm.uapi;

/** The memory of the process that makes the calls: where its structures are. */
public interface UserMemory {
    /**
     * Copies in.
     *
     * @throws gunyah.vmm.driver.GunyahError EFAULT when some of it is not the process's
     */
    byte[] read(long address, int length);
}
