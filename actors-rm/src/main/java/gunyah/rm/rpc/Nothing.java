package gunyah.rm.rpc;

/** Request without a payload: GET_OWNER, GET_VMID, GET_PEERS, HOST_GET_TYPE, FW_MILESTONE. */
public record Nothing() implements Payload {
    public static Nothing decode(byte[] payload) {
        WireReader.exactly(payload, 0);
        return new Nothing();
    }

    @Override
    public byte[] encode() {
        return new byte[0];
    }
}
