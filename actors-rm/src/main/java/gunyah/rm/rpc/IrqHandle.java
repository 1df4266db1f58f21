package gunyah.rm.rpc;

/** VM_IRQ_RELEASE and VM_IRQ_RECLAIM; also the notifications IRQ_RELEASED and IRQ_ACCEPTED. */
public record IrqHandle(int handle) implements Payload {
    public static IrqHandle decode(byte[] payload) {
        return new IrqHandle(WireReader.exactly(payload, 4).u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(handle).toBytes();
    }
}
