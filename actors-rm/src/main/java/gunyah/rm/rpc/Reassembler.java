package gunyah.rm.rpc;

import java.io.ByteArrayOutputStream;
import java.util.Optional;

/**
 * Joins the packets of one client by the server's rules (public Resource Manager, rm-rpc.c): whatever does not fit is
 * dropped and the next well-formed message is delivered. One per client; owned by the receiving actor.
 */
public final class Reassembler {
    private final ByteArrayOutputStream payload = new ByteArrayOutputStream();
    private PacketHeader first;
    private int missing;

    /**
     * Takes a packet as it came from the queue.
     *
     * @param length valid bytes of {@code packet}, which is copied
     * @return the message this packet completes
     */
    public Optional<RmMessage> accept(byte[] packet, int length) {
        Optional<PacketHeader> header = PacketHeader.decode(packet, length);
        if (header.isEmpty()) {
            return Optional.empty();
        }
        if (header.get().type() == PacketType.CONTINUATION) {
            if (!continues(header.get())) {
                return Optional.empty();
            }
            missing--;
        } else {
            payload.reset();
            first = header.get();
            missing = first.fragments();
        }
        payload.write(packet, PacketHeader.SIZE, length - PacketHeader.SIZE);
        if (missing > 0) {
            return Optional.empty();
        }
        RmMessage whole = new RmMessage(first.type(), first.sequence(), first.messageId(), payload.toByteArray());
        first = null;
        return Optional.of(whole);
    }

    private boolean continues(PacketHeader next) {
        return first != null && first.messageId() == next.messageId() && first.sequence() == next.sequence()
                && first.fragments() == next.fragments();
    }
}
