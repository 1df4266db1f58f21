package gunyah.rm.rpc;

/**
 * VM_IRQ_LEND.
 *
 * @param borrower VMID
 * @param virq     INTID in the lender
 * @param label    passed on
 */
public record IrqLend(int borrower, int virq, int label) implements Payload {
    public static IrqLend decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 12);
        return new IrqLend(reader.u16(), reader.skip(2).u32(), reader.u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(borrower).u16(0).u32(virq).u32(label).toBytes();
    }
}
