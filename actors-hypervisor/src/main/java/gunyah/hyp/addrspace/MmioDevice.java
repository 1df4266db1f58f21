package gunyah.hyp.addrspace;

/** A device the hypervisor itself emulates (the vGIC, virtio). Called on the accessing vCPU's thread; must not block. */
public interface MmioDevice {
    /**
     * @param vcpuIndex index of the accessing vCPU in its VM
     * @param offset    bytes from the region's base, size aligned
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero extended
     */
    long read(int vcpuIndex, long offset, int sizeBytes);

    /**
     * Writes; as {@link #read}; {@code value} may have garbage above {@code sizeBytes}.
     *
     * @return whether it was done; false: the access ends as an external abort
     */
    boolean write(int vcpuIndex, long offset, int sizeBytes, long value);

    /** {@return whether an access of this size may be made there; if not it ends as an external abort} */
    default boolean accepts(long offset, int sizeBytes) {
        return true;
    }
}
