package gunyah.rm.rpc;

/**
 * Bytes {@code base .. base + size - 1} of an IPA space: scatter list entries, demand-paged ranges.
 *
 * @param base first address
 * @param size bytes
 */
public record MemRange(long base, long size) {
    static final int WIRE_SIZE = 16;

    static MemRange read(WireReader reader) {
        return new MemRange(reader.u64(), reader.u64());
    }

    void write(WireWriter writer) {
        writer.u64(base).u64(size);
    }
}
