package gunyah.rm.rpc;

/**
 * VM_CONFIG_IMAGE: where in which parcel the image and the device tree are. Offsets and sizes in bytes from the
 * parcel's start.
 *
 * @param vmid   target
 * @param auth   {@link #AUTH_NONE}, {@link #AUTH_PLATFORM} or {@link #AUTH_ANDROID}
 * @param handle the image parcel
 */
public record ConfigImage(int vmid, int auth, int handle, long imageOffset, long imageSize, long dtbOffset,
        long dtbSize) implements Payload {
    public static final int AUTH_NONE = 0;
    public static final int AUTH_PLATFORM = 1;
    public static final int AUTH_ANDROID = 2;
    static final int SIZE = 40;

    public static ConfigImage decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, SIZE);
        return new ConfigImage(reader.u16(), reader.u16(), reader.u32(), reader.u64(), reader.u64(), reader.u64(),
                reader.u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(auth).u32(handle).u64(imageOffset).u64(imageSize).u64(dtbOffset)
                .u64(dtbSize).toBytes();
    }
}
