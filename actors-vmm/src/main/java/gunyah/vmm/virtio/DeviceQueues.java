package gunyah.vmm.virtio;

/** A running device's link to its driver. */
public interface DeviceQueues {
    /** {@return the queue; null when the driver does not use it} Of the device's loop. */
    Virtqueue queue(int index);

    /** {@return the negotiated features} */
    long features();

    /** {@return memory the device can reach} */
    GuestMemory memory();

    /** Interrupts the driver if it wants that for what was pushed to the queue. Of the device's loop. */
    void notifyDriver(int index);

    /** Tells the driver that the device configuration changed. Any thread. */
    void configChanged();

    /** Has {@link VirtioDevice#process} called for the queue. Any thread; never blocks. */
    void schedule(int index);
}
