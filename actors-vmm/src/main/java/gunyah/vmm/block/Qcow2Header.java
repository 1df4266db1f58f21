package gunyah.vmm.block;

import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The header of a qcow2 image, versions 2 and 3 (QEMU docs/interop/qcow2.txt), checked as far as it can be by itself.
 *
 * @param clusterBits     9 to 21
 * @param size            bytes of the disk
 * @param l1Entries       of the L1 table, enough for the size
 * @param refcountOrder   a reference count has 2^order bits
 * @param dirty           reference counts may be wrong
 * @param backingFile     image that holds what this one does not
 * @param backingFormat   its format
 */
record Qcow2Header(int version, int clusterBits, long size, int l1Entries, long l1Offset, long refcountTable,
        int refcountTableClusters, int refcountOrder, boolean dirty, Optional<String> backingFile,
        Optional<String> backingFormat) {
    static final int REFCOUNT_TABLE_OFFSET = 48;
    static final int AUTOCLEAR = 88;

    private static final int MAGIC = 0x514649fb;
    private static final int V2_LENGTH = 72;
    private static final int V3_LENGTH = 104;
    private static final int MIN_CLUSTER_BITS = 9;
    private static final int MAX_CLUSTER_BITS = 21;
    private static final int MAX_TABLE = 32 << 20;
    private static final int MAX_BACKING_NAME = 1023;
    private static final long INCOMPATIBLE_DIRTY = 1;
    private static final int EXTENSION_END = 0;
    private static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
    private static final int DEFAULT_REFCOUNT_ORDER = 4;

    int clusterSize() {
        return 1 << clusterBits;
    }

    /** Reads a header. @throws IOException when it is none we can use, saying why */
    static Qcow2Header read(FileChannel file) throws IOException {
        byte[] bytes = new byte[V3_LENGTH + 8];
        int present = (int) Math.min(bytes.length, file.size());
        if (present < V2_LENGTH) {
            throw new IOException("it is too short for a qcow2 image");
        }
        RawImage.readFully(file, 0, bytes, 0, present);
        check(Bits.be32(bytes, 0) == MAGIC, "it is no qcow2 image");
        int version = Bits.be32(bytes, 4);
        check(version == 2 || version == 3 && present >= V3_LENGTH, "its qcow2 version is not 2 or 3");
        int clusterBits = Bits.be32(bytes, 20);
        check(clusterBits >= MIN_CLUSTER_BITS && clusterBits <= MAX_CLUSTER_BITS, "its cluster size is not allowed");
        check(Bits.be32(bytes, 32) == 0, "it is encrypted, which is not supported");
        long incompatible = version == 2 ? 0 : Bits.be64(bytes, 72);
        check((incompatible & ~INCOMPATIBLE_DIRTY) == 0,
                "it is marked corrupt or needs features that are not supported (0x%x)".formatted(incompatible));
        int order = version == 2 ? DEFAULT_REFCOUNT_ORDER : Bits.be32(bytes, 96);
        check(order >= 0 && order <= 6, "its reference counts are too wide");
        long headerLength = version == 2 ? V2_LENGTH : Bits.be32(bytes, 100) & 0xffff_ffffL;
        long cluster = 1L << clusterBits;
        check(headerLength >= (version == 2 ? V2_LENGTH : V3_LENGTH) && headerLength <= cluster,
                "its header's length is wrong");
        long size = Bits.be64(bytes, 24);
        int l1Entries = Bits.be32(bytes, 36);
        long perL1 = cluster * (cluster / 8);
        check(size >= 0 && l1Entries >= 0 && l1Entries <= MAX_TABLE / 8
                && l1Entries >= (size / perL1) + (size % perL1 == 0 ? 0 : 1), "its size does not fit its L1 table");
        long l1Offset = Bits.be64(bytes, 40);
        long refcountTable = Bits.be64(bytes, REFCOUNT_TABLE_OFFSET);
        int refcountClusters = Bits.be32(bytes, REFCOUNT_TABLE_OFFSET + 8);
        check(aligned(l1Offset, cluster) && aligned(refcountTable, cluster) && refcountClusters > 0
                && refcountClusters <= MAX_TABLE >> clusterBits, "its tables are misplaced");
        Optional<String> backing = backing(file, Bits.be64(bytes, 8), Bits.be32(bytes, 16), cluster);
        return new Qcow2Header(version, clusterBits, size / DiskImage.SECTOR * DiskImage.SECTOR, l1Entries, l1Offset,
                refcountTable, refcountClusters, order, (incompatible & INCOMPATIBLE_DIRTY) != 0, backing,
                backing.isEmpty() ? Optional.empty() : backingFormat(file, headerLength, cluster));
    }

    private static void check(boolean ok, String otherwise) throws IOException {
        if (!ok) {
            throw new IOException(otherwise);
        }
    }

    private static boolean aligned(long offset, long cluster) {
        return offset > 0 && offset % cluster == 0;
    }

    private static Optional<String> backing(FileChannel file, long offset, int length, long cluster)
            throws IOException {
        if (offset == 0) {
            return Optional.empty();
        }
        check(length > 0 && length <= MAX_BACKING_NAME && offset > 0 && offset <= cluster - length,
                "the name of its backing file is misplaced");
        byte[] name = new byte[length];
        RawImage.readFully(file, offset, name, 0, length);
        return Optional.of(new String(name, StandardCharsets.UTF_8));
    }

    private static Optional<String> backingFormat(FileChannel file, long from, long cluster) throws IOException {
        byte[] head = new byte[8];
        long at = from;
        while (at + head.length <= Math.min(cluster, file.size())) {
            RawImage.readFully(file, at, head, 0, head.length);
            int type = Bits.be32(head, 0);
            long length = Bits.be32(head, 4) & 0xffff_ffffL;
            if (type == EXTENSION_END || length > cluster) {
                return Optional.empty();
            }
            if (type == EXTENSION_BACKING_FORMAT && length <= 16) {
                byte[] name = new byte[(int) length];
                RawImage.readFully(file, at + head.length, name, 0, name.length);
                return Optional.of(new String(name, StandardCharsets.US_ASCII));
            }
            at += head.length + (length + 7 & -8);
        }
        return Optional.empty();
    }
}
