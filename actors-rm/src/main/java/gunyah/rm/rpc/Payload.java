package gunyah.rm.rpc;

/** Something with a place in a message. Decoders are static: {@code decode(byte[])}, throwing {@link RmFault}. */
public interface Payload {
    /** {@return the bytes after the header; for a reply, after the error word} */
    byte[] encode();
}
