package gunyah.rm.rpc;

/**
 * VM_SET_STATUS.
 *
 * @param osState   0 = leave as it is, else 1..7 as in {@link VmStatus}
 * @param appStatus 16 bits of the VM's own
 */
public record StatusUpdate(int osState, int appStatus) implements Payload {
    public static final int MAX_OS_STATE = 7;

    public static StatusUpdate decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 4).skip(1);
        return new StatusUpdate(reader.u8(), reader.u16());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u8(0).u8(osState).u16(appStatus).toBytes();
    }
}
