package gunyah.vmm.virtio;

/** Feature bits that belong to no device type (virtio 1.2, section 6). */
public final class Features {
    public static final long INDIRECT_DESC = 1L << 28;
    public static final long EVENT_IDX = 1L << 29;
    public static final long VERSION_1 = 1L << 32;
    /** The driver goes through its platform's DMA rules: bounce buffers, where the device cannot reach all memory. */
    public static final long ACCESS_PLATFORM = 1L << 33;

    /** What every device of ours offers. */
    static final long TRANSPORT = INDIRECT_DESC | EVENT_IDX | VERSION_1;

    private Features() {
    }
}
