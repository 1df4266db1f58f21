/**
 * Networks of guests: the virtio network card ({@link gunyah.vmm.net.VirtioNet}; virtio 1.2, section 5.1) and what it is
 * plugged into ({@link gunyah.vmm.net.Network}): a switch between VMs, or address translation to this computer's own
 * sockets ({@link gunyah.vmm.net.UserNet}). A card belongs to its device's loop, a user network to its own thread; they
 * hand each other whole frames. Frames come from guests: whatever is in them, they are answered or dropped.
 */
package gunyah.vmm.net;
