package gunyah.vmm.block;

import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * Who uses which cluster of a qcow2 file. Changes stay here until {@link #write}, which comes before anything that
 * refers to a new cluster, so that a file whose writer was killed has at worst clusters that nobody uses. Clusters are
 * taken at the end of the file, or from those freed before.
 */
final class Qcow2Refcounts {
    private static final long OFFSET_MASK = Long.MAX_VALUE & -512L;

    private static final int CACHE_BYTES = 16 << 20;
    private static final int MAX_BEYOND_END = 1 << 16;

    private final FileChannel file;
    private final int clusterBits;
    private final int order;
    private final long perBlock;
    private final Map<Integer, byte[]> blocks = new HashMap<>();
    private final BitSet dirty = new BitSet();
    private final BitSet free = new BitSet();
    private long tableOffset;
    private long[] table;
    private boolean tableDirty;
    private boolean tableMoved;
    private long end;

    Qcow2Refcounts(FileChannel file, Qcow2Header header) throws IOException {
        this.file = file;
        this.clusterBits = header.clusterBits();
        this.order = header.refcountOrder();
        this.perBlock = 1L << clusterBits + 3 - order;
        this.tableOffset = header.refcountTable();
        table = Qcow2Image.table(RawImage.readTable(file, tableOffset, header.refcountTableClusters() << clusterBits));
        end = file.size() + (1L << clusterBits) - 1 >> clusterBits;
    }

    private byte[] block(int index) throws IOException {
        byte[] block = blocks.get(index);
        if (block == null) {
            if ((long) blocks.size() << clusterBits > CACHE_BYTES) {
                blocks.keySet().removeIf(cached -> !dirty.get(cached));
            }
            block = new byte[1 << clusterBits];
            RawImage.readFully(file, table[index] & OFFSET_MASK, block, 0, block.length);
            blocks.put(index, block);
        }
        return block;
    }

    long count(long cluster) throws IOException {
        long index = cluster / perBlock;
        if (index >= table.length || (table[(int) index] & OFFSET_MASK) == 0) {
            return 0;
        }
        byte[] block = block((int) index);
        int at = (int) (cluster % perBlock);
        return switch (order) {
            case 3 -> block[at] & 0xff;
            case 4 -> Bits.be16(block, at * 2);
            case 5 -> Bits.be32(block, at * 4) & 0xffff_ffffL;
            case 6 -> Bits.be64(block, at * 8);
            default -> block[at << order >> 3] >> (at << order & 7) & (1 << (1 << order)) - 1;
        };
    }

    private void set(long cluster, long value) throws IOException {
        if (order < 6 && value >= 1L << (1 << order)) {
            throw new IOException("a reference count of the qcow2 image overflows");
        }
        int index = Math.toIntExact(cluster / perBlock);
        provide(index);
        byte[] block = block(index);
        int at = (int) (cluster % perBlock);
        switch (order) {
            case 3 -> block[at] = (byte) value;
            case 4 -> Bits.be16(block, at * 2, (int) value);
            case 5 -> Bits.be32(block, at * 4, (int) value);
            case 6 -> Bits.be64(block, at * 8, value);
            default -> {
                int shift = at << order & 7;
                int mask = (1 << (1 << order)) - 1 << shift;
                int old = block[at << order >> 3];
                block[at << order >> 3] = (byte) (old & ~mask | (int) value << shift);
            }
        }
        dirty.set(index);
    }

    /** Makes the block of that index if it is missing; it is counted in itself or in one that is there. */
    private void provide(int index) throws IOException {
        if (index >= table.length) {
            grow(index);
        }
        if ((table[index] & OFFSET_MASK) == 0) {
            long cluster = nextAtEnd();
            blocks.put(index, new byte[1 << clusterBits]);
            table[index] = cluster << clusterBits;
            tableDirty = true;
            dirty.set(index);
            set(cluster, 1);
        }
    }

    /** Moves the table to a larger place at the end of the file; its old place stays counted until the next writer. */
    private void grow(int index) throws IOException {
        long oldOffset = tableOffset;
        int perCluster = 1 << clusterBits - 3;
        int oldClusters = table.length / perCluster;
        int clusters = Math.max(oldClusters * 2, index / perCluster + 2);
        table = Arrays.copyOf(table, clusters * perCluster);
        long first = end;
        end += clusters;
        tableOffset = first << clusterBits;
        tableDirty = true;
        tableMoved = true;
        for (int i = 0; i < clusters; i++) {
            set(first + i, 1);
        }
        for (int i = 0; i < oldClusters; i++) {
            set((oldOffset >> clusterBits) + i, 0);
        }
    }

    private long nextAtEnd() throws IOException {
        for (int counted = 0; count(end) != 0; counted++) {
            if (counted == MAX_BEYOND_END) {
                throw new IOException("the qcow2 image counts clusters that it does not have");
            }
            end++;
        }
        return end++;
    }

    /** {@return the offset of a cluster that is now the caller's} Its content is undefined. */
    long allocate() throws IOException {
        int reused = free.nextSetBit(0);
        long cluster = reused >= 0 ? reused : nextAtEnd();
        if (reused >= 0) {
            free.clear(reused);
        }
        set(cluster, 1);
        return cluster << clusterBits;
    }

    /** One user of the cluster less, for whom nothing in the file refers to it. {@return whether nobody uses it now} */
    boolean release(long offset) throws IOException {
        long cluster = offset >> clusterBits;
        long count = count(cluster);
        if (count == 0) {
            throw new IOException("cluster 0x%x of the qcow2 image is in use and not counted".formatted(offset));
        }
        set(cluster, count - 1);
        if (count == 1 && cluster <= Integer.MAX_VALUE) {
            free.set((int) cluster);
        }
        return count == 1;
    }

    /** {@return whether {@link #write} would write something} */
    boolean isDirty() {
        return tableDirty || !dirty.isEmpty();
    }

    /** Puts everything into the file: blocks, then the table, then where the table is. */
    void write() throws IOException {
        for (int i = dirty.nextSetBit(0); i >= 0; i = dirty.nextSetBit(i + 1)) {
            RawImage.writeFully(file, table[i] & OFFSET_MASK, blocks.get(i), 0, 1 << clusterBits);
        }
        dirty.clear();
        if (tableDirty) {
            byte[] bytes = Qcow2Image.bytes(table);
            RawImage.writeFully(file, tableOffset, bytes, 0, bytes.length);
            tableDirty = false;
        }
        if (tableMoved) {
            file.force(false);
            byte[] place = new byte[12];
            Bits.be64(place, 0, tableOffset);
            Bits.be32(place, 8, table.length >> clusterBits - 3);
            RawImage.writeFully(file, Qcow2Header.REFCOUNT_TABLE_OFFSET, place, 0, place.length);
            tableMoved = false;
        }
    }
}
