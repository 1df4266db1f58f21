package gunyah.vmm.virtio;

/**
 * What a device is behind its transport. {@link #process}, {@link #started} and {@link #reset} are called by the
 * device's loop or while it stands still, never two at a time; {@link #config} and {@link #configWrite} on any thread.
 * An exception out of any of them is a defect of ours and makes the device need a reset.
 */
public interface VirtioDevice {
    /** {@return for people and statistics} */
    String name();

    /** {@return the device ID (virtio 1.2, section 5)} */
    int id();

    /** {@return device type feature bits offered} */
    long features();

    /** {@return whether these features, all of them offered, go together} */
    default boolean accepts(long features) {
        return true;
    }

    /** {@return how many queues there are} */
    int queueCount();

    /** {@return the device configuration now; the caller does not change it} */
    byte[] config();

    /** A store into the device configuration; most devices have nothing to write. */
    default void configWrite(int offset, int size, long value) {
    }

    /** The driver set DRIVER_OK. {@code queues} are its link to the driver until {@link #reset}. */
    void started(DeviceQueues queues);

    /** The driver notified this queue, or something else asked for {@link DeviceQueues#schedule}. */
    void process(int queue);

    /** Forgets everything of the driver; its queues are gone. */
    void reset();

    /** Lets go of what the device holds outside; after {@link #reset}, once. */
    default void close() {
    }
}
