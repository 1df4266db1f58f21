package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_DONATE, MEM_LEND and MEM_SHARE.
 *
 * @param memType    {@link #NORMAL} or {@link #IO}
 * @param flags      {@link #SANITISE} and {@link #MORE_FOLLOWS}
 * @param label      of the parcel
 * @param acl        borrowers and their rights
 * @param ranges     the caller's own IPAs, at most 512
 * @param attributes memory types, usually none
 */
public record ParcelCreate(int memType, int flags, int label, List<AclEntry> acl, List<MemRange> ranges,
        List<MemAttribute> attributes) implements Payload {
    public static final int NORMAL = 0;
    public static final int IO = 1;
    /** Zero the memory now. */
    public static final int SANITISE = 1;
    /** MEM_APPEND brings more ranges. */
    public static final int MORE_FOLLOWS = 2;
    /** Most ranges in one message. */
    public static final int MAX_RANGES = ParcelLists.MAX_ENTRIES;
    private static final int MIN_SIZE = 20;

    public static ParcelCreate decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, MIN_SIZE);
        int memType = reader.u8();
        int flags = reader.skip(1).u8();
        int label = reader.skip(1).u32();
        ParcelCreate request = new ParcelCreate(memType, flags, label, ParcelLists.acl(reader),
                ParcelLists.ranges(reader), ParcelLists.attributes(reader));
        reader.end();
        return request;
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u8(memType).u8(0).u8(flags).u8(0).u32(label);
        ParcelLists.writeAcl(writer, acl);
        ParcelLists.writeRanges(writer, ranges);
        ParcelLists.writeAttributes(writer, attributes);
        return writer.toBytes();
    }
}
