package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_ACCEPT.
 *
 * @param handle     the parcel
 * @param memType    must be the parcel's
 * @param transfer   must be the parcel's, {@link ParcelTransfer} ordinal
 * @param flags      bits of this class
 * @param label      compared under {@link #VALIDATE_LABEL}
 * @param acl        compared under {@link #VALIDATE_ACL}
 * @param ranges     where to map it; none: RM chooses
 * @param mapVmid    must be 0
 * @param attributes compared under {@link #VALIDATE_ACL}
 */
public record ParcelAccept(int handle, int memType, int transfer, int flags, int label, List<AclEntry> acl,
        List<MemRange> ranges, int mapVmid, List<MemAttribute> attributes) implements Payload {
    public static final int VALIDATE_SANITISED = 1;
    public static final int VALIDATE_ACL = 2;
    public static final int VALIDATE_LABEL = 4;
    public static final int MAP_OTHER = 8;
    public static final int CONTIGUOUS = 16;
    public static final int SANITISE_ON_RECLAIM = 32;
    public static final int DONE = 128;

    /** {@return the request without this flag} */
    public ParcelAccept without(int flag) {
        return new ParcelAccept(handle, memType, transfer, flags & ~flag, label, acl, ranges, mapVmid, attributes);
    }

    public static ParcelAccept decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 24);
        int handle = reader.u32();
        int memType = reader.u8();
        int transfer = reader.u8();
        int flags = reader.u8();
        int label = reader.skip(1).u32();
        List<AclEntry> acl = ParcelLists.acl(reader);
        WireReader.ListHead head = reader.list(ParcelLists.MAX_ENTRIES, MemRange.WIRE_SIZE);
        List<MemRange> ranges = ParcelLists.entries(reader, head.count(), MemRange::read);
        List<MemAttribute> attributes = ParcelLists.attributes(reader);
        reader.end();
        return new ParcelAccept(handle, memType, transfer, flags, label, acl, ranges, head.spare(), attributes);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u32(handle).u8(memType).u8(transfer).u8(flags).u8(0).u32(label);
        ParcelLists.writeAcl(writer, acl);
        writer.u16(ranges.size()).u16(mapVmid);
        ranges.forEach(range -> range.write(writer));
        ParcelLists.writeAttributes(writer, attributes);
        return writer.toBytes();
    }
}
