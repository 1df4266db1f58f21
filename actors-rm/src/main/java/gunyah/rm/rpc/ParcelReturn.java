package gunyah.rm.rpc;

/**
 * MEM_RELEASE (by a borrower) and MEM_RECLAIM (by the owner).
 *
 * @param handle the parcel
 * @param flags  bit 0 {@link #SANITISE}
 */
public record ParcelReturn(int handle, int flags) implements Payload {
    /** Zero the memory before its owner sees it. */
    public static final int SANITISE = 1;

    public static ParcelReturn decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        return new ParcelReturn(reader.u32(), reader.u8());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(handle).u8(flags).u8(0).u16(0).toBytes();
    }
}
