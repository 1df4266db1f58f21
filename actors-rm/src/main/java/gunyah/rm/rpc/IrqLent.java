package gunyah.rm.rpc;

/** VM_IRQ_LENT notification to a borrower. */
public record IrqLent(int owner, int handle, int label) implements Payload {
    public static IrqLent decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 12);
        return new IrqLent(reader.u16(), reader.skip(2).u32(), reader.u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(owner).u16(0).u32(handle).u32(label).toBytes();
    }
}
