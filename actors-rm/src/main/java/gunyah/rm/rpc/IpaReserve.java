package gunyah.rm.rpc;

import java.util.List;

/**
 * IPA_RESERVE: takes guest addresses out of the free ones. Addresses and sizes in bytes.
 *
 * @param generic  constraints, bits of this class
 * @param platform constraints of the platform, none is known
 * @param fixed    exactly these ranges; empty for {@code choices}
 * @param choices  one free range each
 */
public record IpaReserve(int generic, int platform, List<MemRange> fixed, List<Choice> choices) implements Payload {
    public static final int ECC = 1;
    public static final int TAGGED = 2;
    public static final int NORMAL = 4;
    public static final int IO = 8;
    public static final int OWNER_VISIBLE = 16;
    public static final int BUS_VISIBLE = 32;
    public static final int LIKE_BASE_MEMORY = 64;
    /** Most entries of a request. */
    public static final int MAX_ENTRIES = 30;
    private static final int TYPE_FIXED = 0;
    private static final int TYPE_ALLOCATE = 1;

    /** A range to find inside a region; {@code alignment} is a power of two or 0. */
    public record Choice(long regionBase, long regionSize, long size, long alignment) {
        static final int WIRE_SIZE = 32;

        static Choice read(WireReader reader) {
            return new Choice(reader.u64(), reader.u64(), reader.u64(), reader.u64());
        }
    }

    public static IpaReserve decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 12);
        int type = reader.u8();
        int generic = reader.skip(3).u32();
        int platform = reader.u32();
        if (type > TYPE_ALLOCATE) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        int entrySize = type == TYPE_FIXED ? MemRange.WIRE_SIZE : Choice.WIRE_SIZE;
        int count = reader.list(MAX_ENTRIES, entrySize).count();
        List<MemRange> fixed =
                type == TYPE_FIXED ? ParcelLists.entries(reader, count, MemRange::read) : List.of();
        List<Choice> choices =
                type == TYPE_ALLOCATE ? ParcelLists.entries(reader, count, Choice::read) : List.of();
        reader.end();
        return new IpaReserve(generic, platform, fixed, choices);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u8(choices.isEmpty() ? TYPE_FIXED : TYPE_ALLOCATE).u8(0).u16(0)
                .u32(generic).u32(platform).u16(fixed.size() + choices.size()).u16(0);
        fixed.forEach(range -> range.write(writer));
        choices.forEach(c -> writer.u64(c.regionBase).u64(c.regionSize).u64(c.size).u64(c.alignment));
        return writer.toBytes();
    }
}
