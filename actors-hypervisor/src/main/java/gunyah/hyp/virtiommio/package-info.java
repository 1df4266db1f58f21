/**
 * Virtio devices by memory-mapped registers between two VMs: {@link gunyah.hyp.virtiommio.VirtioMmio} is the object, its
 * actor owns the registers and runs on the caller's thread, {@link gunyah.hyp.virtiommio.VirtioMmioCalls} and
 * {@link gunyah.hyp.virtiommio.VirtioInputCalls} are the hypercalls of the VM that is the device (the backend). The VM
 * that has the driver (the frontend) reads the register page as memory and writes it by stores that fault. Source:
 * Gunyah hyp/vm/virtio_mmio, hyp/vm/virtio_input; virtio 1.2, 4.2.2.
 */
package gunyah.hyp.virtiommio;
