package gunyah.rm.rpc;

/**
 * A whole message, fragments joined.
 *
 * @param type      REQUEST, REPLY or NOTIFICATION
 * @param sequence  16 bits
 * @param messageId 32 bits, see {@link MessageId}
 * @param payload   bytes after the header; of a reply the first four are the error word. Nobody changes the array.
 */
public record RmMessage(PacketType type, int sequence, int messageId, byte[] payload) {
}
