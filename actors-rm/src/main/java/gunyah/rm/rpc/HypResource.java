package gunyah.rm.rpc;

import java.util.ArrayList;
import java.util.List;

/**
 * One entry of 44 bytes in a GET_HYP_RESOURCES reply (vm_resource_msg.h).
 *
 * @param type        {@link ResourceType#value}
 * @param partnerVmid VM at the other end; 0 for vCPUs
 * @param handle      0
 * @param label       device label; vCPU index; memory extent role
 * @param capId       capability in the cspace of who asked
 * @param virqHandle  0
 * @param virq        INTID in the VM of who asked, 0 = none
 * @param base        IPA of a register page, or 0
 * @param size        bytes of it, or 0
 */
public record HypResource(int type, int partnerVmid, int handle, int label, long capId, int virqHandle, int virq,
        long base, long size) {
    public static final int SIZE = 44;
    /** Most entries a reply has room for. */
    public static final int MAX_ENTRIES = (Fragmenter.MAX_PAYLOAD - 8) / SIZE;

    /** A resource without a register page. */
    public static HypResource of(ResourceType type, int partnerVmid, int label, long capId, int virq) {
        return new HypResource(type.value(), partnerVmid, 0, label, capId, 0, virq, 0, 0);
    }

    /** {@return the reply's body: count and entries} */
    public static byte[] encode(List<HypResource> entries) {
        WireWriter writer = new WireWriter().u32(entries.size());
        entries.forEach(e -> writer.u8(e.type).u8(0).u16(e.partnerVmid).u32(e.handle).u32(e.label).u64(e.capId)
                .u32(e.virqHandle).u32(e.virq).u64(e.base).u64(e.size));
        return writer.toBytes();
    }

    /**
     * Reads the reply's body.
     *
     * @throws RmFault MSG_INVALID when the length is not exactly that of the entries
     */
    public static List<HypResource> decode(byte[] body) {
        WireReader reader = new WireReader(body);
        int count = reader.u32();
        if (count < 0 || count > MAX_ENTRIES || reader.remaining() != count * SIZE) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        List<HypResource> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int type = reader.u8();
            int partner = reader.skip(1).u16();
            entries.add(new HypResource(type, partner, reader.u32(), reader.u32(), reader.u64(), reader.u32(),
                    reader.u32(), reader.u64(), reader.u64()));
        }
        return entries;
    }
}
