package gunyah.rm.rpc;

/**
 * VM_SET_TIME_BASE: what a VM's real-time clock shows at which value of the system counter.
 *
 * @param vmid      target, 0 = the caller
 * @param timeBase  nanoseconds
 * @param reference ticks of the system counter
 */
public record TimeBase(int vmid, long timeBase, long reference) implements Payload {
    public static TimeBase decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 20);
        return new TimeBase(reader.u16(), reader.skip(2).u64(), reader.u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(0).u64(timeBase).u64(reference).toBytes();
    }
}
