package gunyah.vmm.block;

import gunyah.vmm.virtio.Bits;

/** The smallest qcow2 image, made by hand: version 3, clusters of 512 bytes, reference counts of 64 bits, no data. */
final class EmptyQcow2 {
    private static final int CLUSTER = 512;
    private static final int L1 = CLUSTER;

    private EmptyQcow2() {
    }

    /** {@return its bytes} @param size of the disk, at most 1 MiB */
    static byte[] of(int size) {
        int l1Entries = (size + CLUSTER * CLUSTER / 8 - 1) / (CLUSTER * CLUSTER / 8);
        int table = L1 + CLUSTER;
        int block = table + CLUSTER;
        byte[] image = new byte[block + CLUSTER];
        Bits.be32(image, 0, 0x514649fb);
        Bits.be32(image, 4, 3);
        Bits.be32(image, 20, 9);
        Bits.be64(image, 24, size);
        Bits.be32(image, 36, l1Entries);
        Bits.be64(image, 40, L1);
        Bits.be64(image, 48, table);
        Bits.be32(image, 56, 1);
        Bits.be32(image, 96, 6);
        Bits.be32(image, 100, 104);
        Bits.be64(image, table, block);
        for (int cluster = 0; cluster < image.length / CLUSTER; cluster++) {
            Bits.be64(image, block + cluster * 8, 1);
        }
        return image;
    }
}
