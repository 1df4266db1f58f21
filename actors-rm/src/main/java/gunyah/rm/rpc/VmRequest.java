package gunyah.rm.rpc;

/**
 * Request that names a VM and nothing else: ALLOC_VMID (0 = any), DEALLOC_VMID, START, RESET, INIT,
 * GET_HYP_RESOURCES, GET_STATE, GET_ID.
 *
 * @param vmid target, 16 bits
 * @param rest the halfword after it; only INIT looks at it
 */
public record VmRequest(int vmid, int rest) implements Payload {
    public VmRequest(int vmid) {
        this(vmid, 0);
    }

    public static VmRequest decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 4);
        return new VmRequest(reader.u16(), reader.u16());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(rest).toBytes();
    }
}
