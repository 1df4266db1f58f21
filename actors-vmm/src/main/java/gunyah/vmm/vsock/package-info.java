/**
 * Sockets between a guest and this computer (virtio 1.2, 5.10): {@link gunyah.vmm.vsock.VirtioVsock} speaks with the
 * guest's driver, {@link gunyah.vmm.vsock.UnixSockets} with programs of this computer, by Unix domain sockets as other
 * VMMs have them. Everything but the thread that waits for sockets belongs to the device's loop.
 */
package gunyah.vmm.vsock;
