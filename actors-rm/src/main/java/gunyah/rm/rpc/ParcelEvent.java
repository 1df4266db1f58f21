package gunyah.rm.rpc;

/**
 * MEM_RELEASED and MEM_ACCEPTED notifications to a parcel's owner.
 *
 * @param handle the parcel
 * @param vmid   who released or accepted it
 * @param tag    memory information tag
 */
public record ParcelEvent(int handle, int vmid, int tag) implements Payload {
    public static ParcelEvent decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 12);
        int handle = reader.u32();
        int vmid = reader.u16();
        return new ParcelEvent(handle, vmid, reader.skip(2).u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(handle).u16(vmid).u16(0).u32(tag).toBytes();
    }
}
