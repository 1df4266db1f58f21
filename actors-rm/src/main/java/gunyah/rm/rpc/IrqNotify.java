package gunyah.rm.rpc;

import java.util.List;

/**
 * VM_IRQ_NOTIFY.
 *
 * @param flags exactly one of the bits of this class
 * @param vmids whom to tell, with {@link #LENT} only: none, or the borrower
 */
public record IrqNotify(int handle, int flags, List<Integer> vmids) implements Payload {
    public static final int LENT = 1;
    public static final int RELEASED = 2;
    public static final int ACCEPTED = 4;

    public static IrqNotify decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        int handle = reader.u32();
        int flags = reader.u32();
        List<Integer> vmids = ParcelLists.vmids(reader);
        reader.end();
        return new IrqNotify(handle, flags, vmids);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u32(handle).u32(flags);
        if (!vmids.isEmpty()) {
            ParcelLists.writeVmids(writer, vmids);
        }
        return writer.toBytes();
    }
}
