package gunyah.rm.rpc;

/**
 * VM_IRQ_ACCEPT.
 *
 * @param handle of the lent interrupt
 * @param virq   INTID in the borrower, {@link #ANY} = the hardware number
 */
public record IrqAccept(int handle, int virq) implements Payload {
    public static final int ANY = 0xffff_ffff;

    public static IrqAccept decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 8);
        return new IrqAccept(reader.u32(), reader.u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(handle).u32(virq).toBytes();
    }
}
