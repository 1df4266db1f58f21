/**
 * A folder of this computer that a guest sees as a file system: virtio-fs (virtio 1.2, section 5.11), which carries FUSE
 * requests (Linux include/uapi/linux/fuse.h, version 7.31). All of it belongs to the device's loop. The guest reaches
 * what lies under the folder and nothing else: names are single path components, and no symbolic link is followed here.
 */
package gunyah.vmm.share;
