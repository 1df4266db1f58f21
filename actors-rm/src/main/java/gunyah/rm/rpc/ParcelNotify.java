package gunyah.rm.rpc;

import java.util.List;

/**
 * MEM_NOTIFY: passes news of a parcel on.
 *
 * @param handle the parcel
 * @param flags  exactly one of the bits of this class
 * @param tag    memory information tag, fixed by the first SHARED
 * @param vmids  whom to tell, with SHARED and RECALL only
 */
public record ParcelNotify(int handle, int flags, int tag, List<Integer> vmids) implements Payload {
    public static final int SHARED = 1;
    public static final int RELEASED = 2;
    public static final int ACCEPTED = 4;
    public static final int RECALL = 8;

    public static ParcelNotify decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 12);
        int handle = reader.u32();
        int flags = reader.u8();
        int tag = reader.skip(3).u32();
        List<Integer> vmids = ParcelLists.vmids(reader);
        reader.end();
        return new ParcelNotify(handle, flags, tag, vmids);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u32(handle).u8(flags).u8(0).u16(0).u32(tag);
        if (!vmids.isEmpty()) {
            ParcelLists.writeVmids(writer, vmids);
        }
        return writer.toBytes();
    }
}
