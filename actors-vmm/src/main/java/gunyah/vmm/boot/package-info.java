/**
 * What a guest finds in its memory at the first instruction: {@link gunyah.vmm.boot.KernelLoader} reads kernels and
 * firmware, {@link gunyah.vmm.boot.GuestTree} makes the device tree, {@link gunyah.vmm.boot.GuestImage} places both.
 * Plain functions on byte arrays; whatever a user's file has wrong is a {@code BadInput}.
 */
package gunyah.vmm.boot;
