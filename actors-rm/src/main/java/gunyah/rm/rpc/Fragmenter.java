package gunyah.rm.rpc;

import java.util.ArrayList;
import java.util.List;

/** Cuts messages into packets: all but the last carry exactly {@link #PACKET_PAYLOAD} bytes. */
public final class Fragmenter {
    /** Largest packet, bytes: the message size of the RM queues. */
    public static final int PACKET_SIZE = 240;
    public static final int PACKET_PAYLOAD = PACKET_SIZE - PacketHeader.SIZE;
    /** Largest payload of a message, bytes. */
    public static final int MAX_PAYLOAD = PACKET_PAYLOAD * (PacketHeader.MAX_FRAGMENTS + 1);
    /** Largest request a Linux client sends, bytes: one packet less than the protocol allows. */
    public static final int MAX_CLIENT_REQUEST = PACKET_PAYLOAD * PacketHeader.MAX_FRAGMENTS;

    private Fragmenter() {
    }

    /** {@return the continuation packets a payload of this many bytes needs} */
    public static int fragments(int payloadBytes) {
        return payloadBytes == 0 ? 0 : (payloadBytes - 1) / PACKET_PAYLOAD;
    }

    /**
     * Cuts a message.
     *
     * @return its packets in sending order, at least one
     * @throws IllegalArgumentException when the payload exceeds {@link #MAX_PAYLOAD}
     */
    public static List<byte[]> split(RmMessage message) {
        byte[] payload = message.payload();
        if (payload.length > MAX_PAYLOAD) {
            throw new IllegalArgumentException("payload of %d bytes, the most is %d"
                    .formatted(payload.length, MAX_PAYLOAD));
        }
        int fragments = fragments(payload.length);
        List<byte[]> packets = new ArrayList<>(fragments + 1);
        for (int i = 0; i <= fragments; i++) {
            int at = i * PACKET_PAYLOAD;
            int length = Math.min(PACKET_PAYLOAD, payload.length - at);
            byte[] packet = new byte[PacketHeader.SIZE + length];
            PacketType type = i == 0 ? message.type() : PacketType.CONTINUATION;
            new PacketHeader(type, fragments, message.sequence(), message.messageId()).encode(packet);
            System.arraycopy(payload, at, packet, PacketHeader.SIZE, length);
            packets.add(packet);
        }
        return packets;
    }
}
