/**
 * Memory that a guest gives back while it runs (virtio 1.2, 5.5): {@link gunyah.vmm.balloon.VirtioBalloon} and the
 * memory it takes pages from.
 */
package gunyah.vmm.balloon;
