package gunyah.vmm.uapi;

/** Which requests a kernel's driver knows: the Linux series, or what Android kernels have carried from before it. */
public enum Dialect {
    /** Version 17 of the series: guest memory is a file. */
    V17,
    /**
     * What crosvm calls on Android: guest memory is the process's own, shared or lent where it lies; there is no boot
     * context, the VM starts at the beginning of the memory that holds its device tree.
     */
    ANDROID
}
