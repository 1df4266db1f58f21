package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;

/** The device tree inside an image parcel. */
final class GuestTree {
    private static final int HEADER = 40;
    private static final int MAX_SIZE = 4 << 20;

    private GuestTree() {
    }

    /** Reads the tree. Throws MEM_INVALID when it is damaged or larger than its region or 4 MiB. */
    static Fdt read(Root root, MemParcel parcel, ConfigImage image) {
        try {
            check(image.dtbSize() >= HEADER);
            byte[] header = root.window().read(parcel.extent(), parcel.slice(image.dtbOffset(), HEADER));
            int size = Fdt.totalSize(header);
            check(size >= HEADER && size <= image.dtbSize() && size <= MAX_SIZE);
            return Fdt.parse(root.window().read(parcel.extent(), parcel.slice(image.dtbOffset(), size)));
        } catch (Fdt.FdtException damaged) {
            throw new RmFault(RmError.MEM_INVALID);
        }
    }

    /** Writes the tree in place. Throws NORESOURCE when its region has no room. */
    static void write(Root root, MemParcel parcel, ConfigImage image, Fdt tree) {
        byte[] blob = tree.toBytes();
        if (blob.length > image.dtbSize()) {
            throw new RmFault(RmError.NORESOURCE);
        }
        root.window().write(parcel.extent(), parcel.slice(image.dtbOffset(), blob.length), blob);
    }

    private static void check(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.MEM_INVALID);
        }
    }
}
