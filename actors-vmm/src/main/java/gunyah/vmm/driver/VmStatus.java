package gunyah.vmm.driver;

/** State of a VM as the driver knows it from RM's answers and notifications (v17 10/35). */
public enum VmStatus {
    /** RM knows nothing of it. */
    NO_STATE,
    /** VMID allocated. */
    LOAD,
    /** VM_INIT succeeded. */
    READY,
    /** VM_START succeeded. */
    RUNNING,
    /** VM_INIT failed. */
    INIT_FAILED,
    /** The VM_EXITED notification came. */
    EXITED,
    /** RM finished the reset. */
    RESET
}
