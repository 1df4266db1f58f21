package gunyah.rm.rpc;

/**
 * VM_STOP.
 *
 * @param vmid   target
 * @param flags  bit 0 {@link #FORCE}
 * @param reason 3 = forced by the owner
 */
public record StopRequest(int vmid, int flags, int reason) implements Payload {
    public static final int FORCE = 1;
    public static final int REASON_FORCE_STOP = 3;

    public static StopRequest decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 8);
        return new StopRequest(reader.u16(), reader.u8(), reader.skip(1).u32());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u8(flags).u8(0).u32(reason).toBytes();
    }
}
