package gunyah.rm.rpc;

import java.util.ArrayList;
import java.util.List;

/**
 * VM_SET_DEMAND_PAGING (Linux v17): guest-physical ranges whose pages the host lends when they are touched.
 *
 * @param vmid   target
 * @param ranges at least none, in the sender's order
 */
public record DemandPaging(int vmid, List<MemRange> ranges) implements Payload {
    public DemandPaging {
        ranges = List.copyOf(ranges);
    }

    public static DemandPaging decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        int vmid = reader.u16();
        long count = reader.skip(2).u32() & 0xffff_ffffL;
        if (count * MemRange.WIRE_SIZE != reader.remaining()) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        List<MemRange> ranges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ranges.add(MemRange.read(reader));
        }
        return new DemandPaging(vmid, ranges);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u16(vmid).u16(0).u32(ranges.size());
        ranges.forEach(range -> range.write(writer));
        return writer.toBytes();
    }
}
