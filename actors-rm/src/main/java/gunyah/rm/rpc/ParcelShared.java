package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_SHARED notification to a borrower.
 *
 * @param flags bit 0: was sanitised when created
 * @param sizes bytes of each region, in order; no addresses
 */
public record ParcelShared(int handle, int memType, int transfer, int flags, int owner, int label, int tag,
        List<AclEntry> acl, List<Long> sizes, List<MemAttribute> attributes) implements Payload {
    public static ParcelShared decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 20);
        int handle = reader.u32();
        int memType = reader.u8();
        int transfer = reader.u8();
        int flags = reader.u8();
        int owner = reader.skip(1).u16();
        int label = reader.skip(2).u32();
        int tag = reader.u32();
        List<AclEntry> acl = ParcelLists.acl(reader);
        List<Long> sizes = ParcelLists.read(reader, 8, WireReader::u64);
        return new ParcelShared(handle, memType, transfer, flags, owner, label, tag, acl, sizes,
                ParcelLists.attributes(reader));
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u32(handle).u8(memType).u8(transfer).u8(flags).u8(0).u16(owner).u16(0)
                .u32(label).u32(tag);
        ParcelLists.writeAcl(writer, acl);
        writer.u16(sizes.size()).u16(0);
        sizes.forEach(writer::u64);
        ParcelLists.writeAttributes(writer, attributes);
        return writer.toBytes();
    }
}
