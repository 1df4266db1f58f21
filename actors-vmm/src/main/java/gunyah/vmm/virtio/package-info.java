/**
 * Virtio 1.2 as the VMM offers it: the memory-mapped transport, version 2 ({@link gunyah.vmm.virtio.VirtioMmio}), split
 * virtqueues ({@link gunyah.vmm.virtio.Virtqueue}) and what a device has to be ({@link gunyah.vmm.virtio.VirtioDevice}).
 * Registers are answered on host CPUs; queues belong to the device's {@link gunyah.vmm.virtio.DeviceLoop}. What a guest
 * puts into registers, rings and descriptors is never trusted: a broken one makes DEVICE_NEEDS_RESET.
 *
 * <p>Source: OASIS Virtual I/O Device (VIRTIO) Version 1.2, sections 2, 4.2 and 5.
 */
package gunyah.vmm.virtio;
