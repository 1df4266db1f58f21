package gunyah.rm.rpc;

/**
 * LOOKUP_GUID.
 *
 * @param guid 16 bytes, big endian
 */
public record GuidRequest(byte[] guid) implements Payload {
    static final int SIZE = 16;

    public static GuidRequest decode(byte[] payload) {
        return new GuidRequest(WireReader.exactly(payload, SIZE).bytes(SIZE));
    }

    @Override
    public byte[] encode() {
        return guid.clone();
    }
}
