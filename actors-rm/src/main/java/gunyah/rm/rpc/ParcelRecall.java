package gunyah.rm.rpc;

/** MEM_RECALL notification: the owner asks for its memory back. */
public record ParcelRecall(int handle, int tag) implements Payload {
    public static ParcelRecall decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        return new ParcelRecall(reader.u32(), reader.u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(handle).u32(tag).toBytes();
    }
}
