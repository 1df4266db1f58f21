package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_QCOM_LOOKUP_SGL: which parcel is this. An empty list is not compared.
 *
 * @param ranges physical memory of the parcel, as a direct-mapped VM knows it
 */
public record ParcelLookup(int memType, int label, List<AclEntry> acl, List<MemRange> ranges,
        List<MemAttribute> attributes) implements Payload {
    public static ParcelLookup decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 16);
        int memType = reader.u8();
        int label = reader.skip(3).u32();
        ParcelLookup request = new ParcelLookup(memType, label, ParcelLists.acl(reader), ParcelLists.ranges(reader),
                ParcelLists.attributes(reader));
        reader.end();
        return request;
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u8(memType).u8(0).u16(0).u32(label);
        ParcelLists.writeAcl(writer, acl);
        ParcelLists.writeRanges(writer, ranges);
        ParcelLists.writeAttributes(writer, attributes);
        return writer.toBytes();
    }
}
