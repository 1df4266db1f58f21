/**
 * Disks of guests: the virtio block device ({@link gunyah.vmm.block.VirtioBlock}; virtio 1.2, section 5.2) and what holds
 * their bytes ({@link gunyah.vmm.block.DiskImage}). All of a disk belongs to its device's loop; files block there.
 */
package gunyah.vmm.block;
