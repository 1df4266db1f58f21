package gunyah.rm.rpc;

/** Kinds of entries in a GET_HYP_RESOURCES reply (vm_resource_msg.h; 9 and 10 as the Linux v17 driver knows them). */
public enum ResourceType {
    DOORBELL_SOURCE, DOORBELL_RECEIVER, MSGQUEUE_SEND, MSGQUEUE_RECEIVE, VCPU, VPM_GROUP, VIRTIO_MMIO, VRTC, WATCHDOG,
    MEMEXTENT, ADDRSPACE;

    /** {@return the byte on the wire} */
    public int value() {
        return ordinal();
    }
}
