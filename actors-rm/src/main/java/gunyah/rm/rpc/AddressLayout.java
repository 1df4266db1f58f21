package gunyah.rm.rpc;

/**
 * VM_SET_ADDRESS_LAYOUT (Linux v17): where in the guest the image or firmware parcel goes.
 *
 * @param vmid  target
 * @param range {@link #IMAGE} or {@link #FIRMWARE}
 * @param base  guest-physical address
 * @param size  bytes
 */
public record AddressLayout(int vmid, int range, long base, long size) implements Payload {
    public static final int IMAGE = 0;
    public static final int FIRMWARE = 1;

    public static AddressLayout decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 24);
        return new AddressLayout(reader.u16(), reader.skip(2).u32(), reader.u64(), reader.u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(0).u32(range).u64(base).u64(size).toBytes();
    }
}
