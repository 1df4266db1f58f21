package gunyah.vmm.block;

import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * A qcow2 image (QEMU docs/interop/qcow2.txt): clusters appear when they are written, what an image does not have is in
 * its backing image. Read and written, compressed clusters read; internal snapshots keep what they have.
 *
 * <p>Order in the file: data, then reference counts, then L2 tables, then the L1 table, each made durable before the
 * next; tables wait in memory until {@link #flush} or until there are too many. So at any moment the file is consistent
 * but for clusters that nobody uses, and a guest loses no more than what it had not flushed.
 */
final class Qcow2Image implements DiskImage {
    private static final long COPIED = 1L << 63;
    private static final long COMPRESSED = 1L << 62;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final long ZERO = 1;
    private static final int CACHE_BYTES = 4 << 20;

    /** An L2 table in memory. */
    private static final class L2 {
        final long[] entries;
        boolean dirty;

        L2(long[] entries) {
            this.entries = entries;
        }
    }

    private final FileChannel file;
    private final FileHoles holes;
    private final Qcow2Header header;
    private final Optional<DiskImage> backing;
    private final Qcow2Refcounts refcounts;
    private final int clusterSize;
    private final int l2Entries;
    private final long[] l1;
    private final byte[] cluster;
    private final List<Long> unused = new ArrayList<>();
    private final LinkedHashMap<Integer, L2> cache = new LinkedHashMap<>(16, 0.75f, true);
    private boolean l1Dirty;
    private long inflated = -1;
    private final byte[] inflatedCluster;

    /**
     * Uses an open file.
     *
     * @param readOnly whether nothing will be written
     * @throws IOException when its tables are not all there
     */
    Qcow2Image(FileChannel file, FileHoles holes, Qcow2Header header, Optional<DiskImage> backing, boolean readOnly)
            throws IOException {
        this.file = file;
        this.holes = holes;
        this.header = header;
        this.backing = backing;
        this.clusterSize = header.clusterSize();
        this.l2Entries = clusterSize / 8;
        l1 = table(RawImage.readTable(file, header.l1Offset(), header.l1Entries() * 8));
        refcounts = new Qcow2Refcounts(file, header);
        cluster = new byte[clusterSize];
        inflatedCluster = new byte[clusterSize];
        if (!readOnly && header.version() == 3) {
            // features that others must drop when they do not keep them up to date, such as dirty bitmaps
            RawImage.writeFully(file, Qcow2Header.AUTOCLEAR, new byte[8], 0, 8);
        }
    }

    static long[] table(byte[] bytes) {
        long[] entries = new long[bytes.length / 8];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = Bits.be64(bytes, i * 8);
        }
        return entries;
    }

    static byte[] bytes(long[] entries) {
        byte[] bytes = new byte[entries.length * 8];
        for (int i = 0; i < entries.length; i++) {
            Bits.be64(bytes, i * 8, entries[i]);
        }
        return bytes;
    }

    @Override
    public long size() {
        return header.size();
    }

    private long clusterIndex(long position) {
        return position >> header.clusterBits();
    }

    private L2 l2(int index) throws IOException {
        L2 cached = cache.get(index);
        if (cached != null) {
            return cached;
        }
        long offset = l1[index] & OFFSET;
        if (offset == 0) {
            return null;
        }
        checkAligned(offset);
        byte[] bytes = new byte[clusterSize];
        RawImage.readFully(file, offset, bytes, 0, clusterSize);
        return remember(index, new L2(table(bytes)));
    }

    private L2 remember(int index, L2 table) throws IOException {
        if ((long) (cache.size() + 1) * clusterSize > Math.max(CACHE_BYTES, 2L * clusterSize)) {
            int eldest = cache.keySet().iterator().next();
            if (cache.get(eldest).dirty) {
                writeTables();
            }
            cache.remove(eldest);
        }
        cache.put(index, table);
        return table;
    }

    private void checkAligned(long offset) throws IOException {
        if ((offset & clusterSize - 1) != 0) {
            throw new IOException("the qcow2 image has a cluster at 0x%x".formatted(offset));
        }
    }

    private long entry(long position) throws IOException {
        long index = clusterIndex(position);
        L2 table = l2((int) (index / l2Entries));
        return table == null ? 0 : table.entries[(int) (index % l2Entries)];
    }

    /** An L2 table that this image alone uses, so that it may be changed. */
    private L2 ownL2(int index) throws IOException {
        L2 table = l2(index);
        if (table != null && (l1[index] & COPIED) != 0) {
            return table;
        }
        long old = l1[index] & OFFSET;
        long offset = refcounts.allocate();
        L2 owned = table != null ? table : remember(index, new L2(new long[l2Entries]));
        owned.dirty = true;
        l1[index] = offset | COPIED;
        l1Dirty = true;
        if (old != 0) {
            unused.add(old);
        }
        return owned;
    }

    @Override
    public void read(long position, byte[] target, int from, int length) throws IOException {
        int done = 0;
        while (done < length) {
            long at = position + done;
            int inCluster = (int) (at & clusterSize - 1);
            int piece = Math.min(length - done, clusterSize - inCluster);
            readPiece(entry(at), at, inCluster, target, from + done, piece);
            done += piece;
        }
    }

    private void readPiece(long entry, long position, int inCluster, byte[] target, int from, int length)
            throws IOException {
        if ((entry & COMPRESSED) != 0) {
            inflate(entry);
            System.arraycopy(inflatedCluster, inCluster, target, from, length);
        } else if ((entry & ZERO) != 0 && header.version() == 3) {
            Arrays.fill(target, from, from + length, (byte) 0);
        } else if ((entry & OFFSET) != 0) {
            checkAligned(entry & OFFSET);
            readData((entry & OFFSET) + inCluster, target, from, length);
        } else {
            readBacking(position, target, from, length);
        }
    }

    /** A writer need not have written a cluster to its end. */
    private void readData(long offset, byte[] target, int from, int length) throws IOException {
        int there = Math.clamp(file.size() - offset, 0, length);
        RawImage.readFully(file, offset, target, from, there);
        Arrays.fill(target, from + there, from + length, (byte) 0);
    }

    private void readBacking(long position, byte[] target, int from, int length) throws IOException {
        int there = Math.clamp(backing.map(DiskImage::size).orElse(0L) - position, 0, length);
        if (there > 0) {
            backing.get().read(position, target, from, there);
        }
        Arrays.fill(target, from + there, from + length, (byte) 0);
    }

    private int compressedShift() {
        return 62 - (header.clusterBits() - 8);
    }

    private long compressedOffset(long entry) {
        return entry & (1L << compressedShift()) - 1;
    }

    private int compressedLength(long entry) {
        int sectors = (int) (entry >>> compressedShift() & (1L << header.clusterBits() - 8) - 1) + 1;
        return sectors * SECTOR - (int) (compressedOffset(entry) & SECTOR - 1);
    }

    private void inflate(long entry) throws IOException {
        if (inflated == entry) {
            return;
        }
        inflated = -1;
        long offset = compressedOffset(entry);
        int length = Math.clamp(file.size() - offset, 0, compressedLength(entry));
        byte[] packed = new byte[length];
        RawImage.readFully(file, offset, packed, 0, length);
        try (Inflater inflater = new Inflater(true)) {
            inflater.setInput(packed);
            int done = 0;
            while (done < clusterSize) {
                int count = inflater.inflate(inflatedCluster, done, clusterSize - done);
                if (count == 0) {
                    throw new IOException("a compressed cluster of the qcow2 image ends early");
                }
                done += count;
            }
        } catch (DataFormatException e) {
            throw new IOException("a compressed cluster of the qcow2 image is damaged", e);
        }
        inflated = entry;
    }

    @Override
    public void write(long position, byte[] source, int from, int length) throws IOException {
        int done = 0;
        while (done < length) {
            long at = position + done;
            int inCluster = (int) (at & clusterSize - 1);
            int piece = Math.min(length - done, clusterSize - inCluster);
            writePiece(at, inCluster, source, from + done, piece);
            done += piece;
        }
    }

    private void writePiece(long position, int inCluster, byte[] source, int from, int length) throws IOException {
        long index = clusterIndex(position);
        L2 table = ownL2((int) (index / l2Entries));
        int slot = (int) (index % l2Entries);
        long old = table.entries[slot];
        boolean zero = (old & ZERO) != 0 && header.version() == 3;
        if ((old & (COPIED | COMPRESSED)) == COPIED && !zero && (old & OFFSET) != 0) {
            checkAligned(old & OFFSET);
            RawImage.writeFully(file, (old & OFFSET) + inCluster, source, from, length);
            return;
        }
        if (length < clusterSize) {
            readPiece(old, position - inCluster, 0, cluster, 0, clusterSize);
        }
        System.arraycopy(source, from, cluster, inCluster, length);
        long offset = refcounts.allocate();
        RawImage.writeFully(file, offset, cluster, 0, clusterSize);
        table.entries[slot] = offset | COPIED;
        table.dirty = true;
        forget(old);
    }

    /** What an entry referred to is used once less, as soon as the tables that say so are in the file. */
    private void forget(long entry) {
        if ((entry & COMPRESSED) != 0) {
            long first = compressedOffset(entry) & -clusterSize;
            long last = compressedOffset(entry) + compressedLength(entry) - 1 & -clusterSize;
            for (long at = first; at <= last; at += clusterSize) {
                unused.add(at);
            }
        } else if ((entry & OFFSET) != 0) {
            unused.add(entry & OFFSET);
        }
    }

    @Override
    public void discard(long position, long length) throws IOException {
        drop(position, length);
    }

    @Override
    public void zero(long position, long length, boolean mayFree) throws IOException {
        long dropped = mayFree ? drop(position, length) : 0;
        long first = position + clusterSize - 1 & -clusterSize;
        byte[] zeros = new byte[clusterSize];
        if (dropped == 0) {
            writeZeros(position, length, zeros);
        } else {
            writeZeros(position, first - position, zeros);
            writeZeros(first + dropped, position + length - first - dropped, zeros);
        }
    }

    private void writeZeros(long position, long length, byte[] zeros) throws IOException {
        for (long done = 0; done < length; done += clusterSize) {
            write(position + done, zeros, 0, (int) Math.min(clusterSize, length - done));
        }
    }

    /**
     * Makes the whole clusters of a range read as zeros and frees them.
     *
     * @return bytes from the first whole cluster on that do; 0 when there is none, or the format cannot say it
     */
    private long drop(long position, long length) throws IOException {
        long first = position + clusterSize - 1 & -clusterSize;
        long last = position + length & -clusterSize;
        if (last <= first || header.version() == 2 && backing.isPresent()) {
            return 0;
        }
        for (long at = first; at < last; at += clusterSize) {
            long old = entry(at);
            long dropped = header.version() == 3 && backing.isPresent() ? ZERO : 0;
            if (old != dropped) {
                long index = clusterIndex(at);
                L2 table = ownL2((int) (index / l2Entries));
                table.entries[(int) (index % l2Entries)] = dropped;
                table.dirty = true;
                forget(old);
            }
        }
        return last - first;
    }

    /** Data and counts first, then what refers to them. */
    private void writeTables() throws IOException {
        boolean tables = l1Dirty || cache.values().stream().anyMatch(table -> table.dirty);
        if (!tables && !refcounts.isDirty()) {
            return;
        }
        refcounts.write();
        if (!tables) {
            return;
        }
        file.force(false);
        for (Map.Entry<Integer, L2> cached : cache.entrySet()) {
            if (cached.getValue().dirty) {
                RawImage.writeFully(file, l1[cached.getKey()] & OFFSET, bytes(cached.getValue().entries), 0,
                        clusterSize);
                cached.getValue().dirty = false;
            }
        }
        if (l1Dirty) {
            file.force(false);
            RawImage.writeFully(file, header.l1Offset(), bytes(l1), 0, l1.length * 8);
            l1Dirty = false;
        }
        if (!unused.isEmpty()) {
            file.force(false);
            // each at most once, also when one of them fails
            while (!unused.isEmpty()) {
                long offset = unused.removeLast();
                if (refcounts.release(offset)) {
                    holes.free(offset, clusterSize);
                }
            }
        }
    }

    @Override
    public void flush() throws IOException {
        writeTables();
        file.force(false);
    }

    @Override
    public void close() throws IOException {
        try (FileChannel closing = file) {
            if (closing.isOpen() && (l1Dirty || refcounts.isDirty() || !unused.isEmpty()
                    || cache.values().stream().anyMatch(table -> table.dirty))) {
                writeTables();
                // counts of what became unused
                writeTables();
            }
        } finally {
            holes.close();
            if (backing.isPresent()) {
                backing.get().close();
            }
        }
    }
}
