package gunyah.rm.rpc;

/**
 * FW_SET_VM_FIRMWARE: the firmware of every VM of an authentication type.
 *
 * @param auth   {@link ConfigImage#AUTH_ANDROID}
 * @param handle a parcel with the image
 * @param offset must be 0
 * @param size   bytes
 */
public record FirmwareImage(int auth, int handle, long offset, long size) implements Payload {
    public static FirmwareImage decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 24);
        int auth = reader.u16();
        if (reader.u16() != 0) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new FirmwareImage(auth, reader.u32(), reader.u64(), reader.u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(auth).u16(0).u32(handle).u64(offset).u64(size).toBytes();
    }
}
