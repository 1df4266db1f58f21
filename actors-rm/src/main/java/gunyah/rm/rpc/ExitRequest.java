package gunyah.rm.rpc;

/**
 * VM_EXIT.
 *
 * @param flags bit 0 {@link VmExited#RESTART}
 * @param code  0 normal, 1 software error, 3 bus error, 4 device error
 */
public record ExitRequest(int flags, int code) implements Payload {
    private static final int UNKNOWN = 2;
    private static final int MAX_CODE = 4;

    public static ExitRequest decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 4);
        ExitRequest request = new ExitRequest(reader.u16(), reader.u8());
        if (reader.u8() != 0 || request.code == UNKNOWN || request.code > MAX_CODE) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return request;
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(flags).u8(code).u8(0).toBytes();
    }
}
