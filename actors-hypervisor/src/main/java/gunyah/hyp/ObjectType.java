package gunyah.hyp;

/** First-class object types (Gunyah build.conf {@code first_class_object}). */
public enum ObjectType {
    PARTITION, CSPACE, ADDRSPACE, MEMEXTENT, THREAD, DOORBELL, MSGQUEUE, VIC, HWIRQ, VPM_GROUP, VIRTIO_MMIO, WATCHDOG
}
