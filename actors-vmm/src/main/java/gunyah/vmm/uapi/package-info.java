/**
 * The driver as a C program meets it: numbered file descriptors, ioctl numbers and structures in the program's memory.
 * {@link gunyah.vmm.uapi.GunyahFiles} is one process; every call ends in exactly one call of
 * {@link gunyah.vmm.driver}.
 */
package gunyah.vmm.uapi;
