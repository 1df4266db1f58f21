package gunyah.hyp;

/** Capability rights, 32-bit masks per object type (Gunyah API document "Object Rights", and the newer drop). */
public final class Rights {
    /** Any object: may be activated, attached to, configured. */
    public static final int OBJECT_ACTIVATE = 1 << 31;
    public static final int ALL = -1;

    public static final int PARTITION_OBJECT_CREATE = 1;
    public static final int PARTITION_DONATE = 1 << 1;

    public static final int CSPACE_CAP_CREATE = 1;
    public static final int CSPACE_CAP_DELETE = 1 << 1;
    public static final int CSPACE_CAP_COPY = 1 << 2;
    public static final int CSPACE_ATTACH = 1 << 3;
    public static final int CSPACE_CAP_REVOKE = 1 << 4;

    public static final int ADDRSPACE_ATTACH = 1;
    public static final int ADDRSPACE_MAP = 1 << 1;
    public static final int ADDRSPACE_LOOKUP = 1 << 2;
    public static final int ADDRSPACE_ADD_VMMIO_RANGE = 1 << 3;
    public static final int ADDRSPACE_MAP_PROTECTED = 1 << 4;
    public static final int ADDRSPACE_MODIFY_PROTECTED = 1 << 5;
    public static final int ADDRSPACE_ADD_INFO = 1 << 6;

    public static final int MEMEXTENT_MAP = 1;
    public static final int MEMEXTENT_DERIVE = 1 << 1;
    public static final int MEMEXTENT_ATTACH = 1 << 2;
    public static final int MEMEXTENT_LOOKUP = 1 << 3;
    public static final int MEMEXTENT_DONATE = 1 << 4;
    public static final int MEMEXTENT_PROTECTED_HOST = 1 << 5;
    public static final int MEMEXTENT_PROTECTED_GUEST = 1 << 6;
    public static final int MEMEXTENT_MAP_PRIVATE = 1 << 7;

    public static final int THREAD_POWER = 1;
    public static final int THREAD_AFFINITY = 1 << 1;
    public static final int THREAD_PRIORITY = 1 << 2;
    public static final int THREAD_TIMESLICE = 1 << 3;
    public static final int THREAD_YIELD_TO = 1 << 4;
    public static final int THREAD_BIND_VIRQ = 1 << 5;
    public static final int THREAD_STATE = 1 << 6;
    public static final int THREAD_LIFECYCLE = 1 << 7;
    public static final int THREAD_WRITE_CONTEXT = 1 << 8;
    public static final int THREAD_DISABLE = 1 << 9;

    public static final int DOORBELL_SEND = 1;
    public static final int DOORBELL_RECEIVE = 1 << 1;
    public static final int DOORBELL_BIND = 1 << 2;

    public static final int MSGQUEUE_SEND = 1;
    public static final int MSGQUEUE_RECEIVE = 1 << 1;
    public static final int MSGQUEUE_BIND_SEND = 1 << 2;
    public static final int MSGQUEUE_BIND_RECEIVE = 1 << 3;

    public static final int VIC_BIND_SOURCE = 1;
    public static final int VIC_ATTACH_VCPU = 1 << 1;
    public static final int VIC_ATTACH_VDEVICE = 1 << 2;

    public static final int VPM_GROUP_ATTACH_VCPU = 1;
    public static final int VPM_GROUP_BIND_VIRQ = 1 << 1;
    public static final int VPM_GROUP_QUERY = 1 << 2;

    public static final int HWIRQ_BIND_VIC = 1 << 1;

    public static final int VIRTIO_MMIO_BIND_BACKEND_VIRQ = 1;
    public static final int VIRTIO_MMIO_BIND_FRONTEND_VIRQ = 1 << 1;
    public static final int VIRTIO_MMIO_ASSERT_VIRQ = 1 << 2;
    public static final int VIRTIO_MMIO_CONFIG = 1 << 3;

    private Rights() {
    }
}
