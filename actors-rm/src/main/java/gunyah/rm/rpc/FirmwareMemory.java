package gunyah.rm.rpc;

/**
 * VM_SET_FIRMWARE_MEM: where in which parcel a VM's firmware goes. Offset and size in bytes.
 *
 * @param vmid   target
 * @param handle a parcel lent to it, which may be the image parcel
 */
public record FirmwareMemory(int vmid, int handle, long offset, long size) implements Payload {
    public static FirmwareMemory decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 24);
        int vmid = reader.u16();
        if (reader.u16() != 0) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new FirmwareMemory(vmid, reader.u32(), reader.u64(), reader.u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(0).u32(handle).u64(offset).u64(size).toBytes();
    }
}
