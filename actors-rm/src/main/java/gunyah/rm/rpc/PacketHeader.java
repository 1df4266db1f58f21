package gunyah.rm.rpc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The eight bytes in front of every packet (rm-rpc.h).
 *
 * @param type      what the packet is
 * @param fragments continuation packets of the whole message, 0..62; the same in all its packets
 * @param sequence  16 bits: chosen by the client, echoed in the reply, counted up for notifications
 * @param messageId 32 bits
 */
public record PacketHeader(PacketType type, int fragments, int sequence, int messageId) {
    public static final int SIZE = 8;
    /** Version 1 in bits 3:0, header length of two words in bits 7:4. */
    public static final int VERSION_AND_LENGTH = 0x21;
    public static final int MAX_FRAGMENTS = 62;

    /**
     * Reads a header.
     *
     * @param length valid bytes of {@code packet}
     * @return the header; empty when the packet is shorter than one, is of another version, or claims 63 fragments
     */
    public static Optional<PacketHeader> decode(byte[] packet, int length) {
        if (length < SIZE || (packet[0] & 0xff) != VERSION_AND_LENGTH) {
            return Optional.empty();
        }
        int fragments = (packet[1] & 0xff) >>> 2;
        if (fragments > MAX_FRAGMENTS) {
            return Optional.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN);
        return Optional.of(new PacketHeader(PacketType.of(packet[1]), fragments, bytes.getShort(2) & 0xffff,
                bytes.getInt(4)));
    }

    void encode(byte[] packet) {
        ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) VERSION_AND_LENGTH)
                .put((byte) (fragments << 2 | type.ordinal()))
                .putShort((short) sequence)
                .putInt(messageId);
    }
}
