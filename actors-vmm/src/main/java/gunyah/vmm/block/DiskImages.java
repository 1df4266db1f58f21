package gunyah.vmm.block;

import gunyah.config.DiskConfig;

/** Opens the images of disks. */
public final class DiskImages {
    private DiskImages() {
    }

    /** Opens a disk's image. Blocks. @throws gunyah.config.BadInput when the file cannot be one */
    public static DiskImage open(DiskConfig disk) {
        return RawImage.open(disk.file(), disk.readOnly());
    }
}
