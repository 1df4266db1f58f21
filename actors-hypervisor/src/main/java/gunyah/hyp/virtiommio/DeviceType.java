package gunyah.hyp.virtiommio;

/** Devices whose configuration space the hypervisor knows (Gunyah virtio_device_type, virtio 1.2, 5). */
enum DeviceType {
    /** Any device: the configuration space is plain bytes. */
    UNKNOWN,
    /** virtio-input, device 18: what a query selects is written by the hypervisor. */
    INPUT;

    private static final int INPUT_ID = 18;

    /** {@return the type of an id, or null when the hypervisor has nothing for it} */
    static DeviceType of(int id) {
        return id == INPUT_ID ? INPUT : null;
    }
}
