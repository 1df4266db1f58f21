package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_APPEND: more ranges of a parcel that was announced to have more.
 *
 * @param handle the parcel
 * @param flags  bit 0 {@link #LAST}
 * @param ranges the caller's own IPAs, at most 512
 */
public record ParcelAppend(int handle, int flags, List<MemRange> ranges) implements Payload {
    public static final int LAST = 1;

    public static ParcelAppend decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 12);
        ParcelAppend request = new ParcelAppend(reader.u32(), reader.u8(), ParcelLists.ranges(reader.skip(3)));
        reader.end();
        return request;
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u32(handle).u8(flags).u8(0).u16(0);
        ParcelLists.writeRanges(writer, ranges);
        return writer.toBytes();
    }
}
