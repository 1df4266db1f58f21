package gunyah.vmm.driver;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.PacketHeader;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.RmMessage;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client end of the Resource Manager protocol over two message queues (v17 7/35): send credit, fragments, matching
 * of replies, and one reassembly slot that replies and notifications share. Not thread safe: owned by {@link RmLink}.
 */
final class RmTransport {
    /** Receives complete notifications, on the owner's thread. */
    interface Notifications {
        void notified(int messageId, byte[] payload);
    }

    private static final Logger LOG = LoggerFactory.getLogger(RmTransport.class);
    private static final int REPLY_HEADER = PacketHeader.SIZE + 4;
    private static final int SEQUENCES = 1 << 16;

    private record Call(int sequence, int messageId, CompletableFuture<byte[]> reply) {
    }

    private record Packet(byte[] bytes, boolean last, Call call) {
    }

    /** The message being put together; {@code call} is null for a notification. */
    private static final class Active {
        final Call call;
        final int messageId;
        final int fragments;
        final int error;
        final ByteArrayOutputStream payload = new ByteArrayOutputStream();
        int received;

        Active(Call call, int messageId, int fragments, int error) {
            this.call = call;
            this.messageId = messageId;
            this.fragments = fragments;
            this.error = error;
        }
    }

    private final HypercallPort port;
    private final Hvc hvc;
    private final long txCap;
    private final long rxCap;
    private final long txBuffer;
    private final long rxBuffer;
    private final Notifications notifications;
    private final Map<Integer, Call> outstanding = new HashMap<>();
    private final Deque<Packet> unsent = new ArrayDeque<>();
    private boolean maySend = true;
    private int nextSequence;
    private Active active;

    /** The buffers are host memory of {@link Fragmenter#PACKET_SIZE} bytes each. */
    RmTransport(HypercallPort port, long txCap, long rxCap, long txBuffer, long rxBuffer,
            Notifications notifications) {
        this.port = port;
        this.hvc = new Hvc(port);
        this.txCap = txCap;
        this.rxCap = rxCap;
        this.txBuffer = txBuffer;
        this.rxBuffer = rxBuffer;
        this.notifications = notifications;
    }

    /**
     * Sends a request. {@code reply} completes with the bytes after the error word, or fails with a
     * {@link GunyahError}: EINVAL for id 0, E2BIG, EBUSY with 65536 calls outstanding, EIO when the reply is broken off,
     * else what RM answered.
     */
    void call(int messageId, byte[] payload, CompletableFuture<byte[]> reply) {
        if (messageId == 0) {
            fail(reply, Errno.EINVAL, "message id 0");
        } else if (payload.length > Fragmenter.MAX_CLIENT_REQUEST) {
            fail(reply, Errno.E2BIG, "request of %d bytes".formatted(payload.length));
        } else if (outstanding.size() == SEQUENCES) {
            fail(reply, Errno.EBUSY, "too many calls outstanding");
        } else {
            while (outstanding.containsKey(nextSequence)) {
                nextSequence = nextSequence + 1 & SEQUENCES - 1;
            }
            Call call = new Call(nextSequence, messageId, reply);
            nextSequence = nextSequence + 1 & SEQUENCES - 1;
            outstanding.put(call.sequence, call);
            List<byte[]> packets = Fragmenter.split(
                    new RmMessage(PacketType.REQUEST, call.sequence, messageId, payload));
            for (int i = 0; i < packets.size(); i++) {
                unsent.add(new Packet(packets.get(i), i == packets.size() - 1, call));
            }
            send();
        }
    }

    /** The TX interrupt: the queue has room again. */
    void txReady() {
        maySend = true;
        send();
    }

    private void send() {
        while (maySend && !unsent.isEmpty()) {
            Packet packet = unsent.peek();
            port.write(txBuffer, packet.bytes, 0, packet.bytes.length);
            long error = hvc.msgqSend(txCap, packet.bytes.length, txBuffer, packet.last ? Hvc.MSGQ_TX_PUSH : 0);
            if (error == HypError.MSGQUEUE_FULL.code()) {
                LOG.warn("the queue to the Resource Manager was full although it had announced room");
                maySend = false;
                return;
            }
            maySend = error != HypError.OK.code() || hvc.x[1] != 0;
            if (error == HypError.OK.code()) {
                unsent.remove();
            } else {
                unsent.removeIf(p -> p.call == packet.call);
                outstanding.remove(packet.call.sequence);
                fail(packet.call.reply, Errno.ofHypercall(error), "sending to the Resource Manager");
            }
        }
    }

    /** The RX interrupt: takes all messages that wait. */
    void rxReady() {
        boolean more = true;
        while (more) {
            long error = hvc.msgqRecv(rxCap, rxBuffer, Fragmenter.PACKET_SIZE);
            if (error != HypError.OK.code()) {
                if (error != HypError.MSGQUEUE_EMPTY.code()) {
                    LOG.warn("receiving from the Resource Manager failed with {}", HypError.of(error));
                }
                return;
            }
            more = hvc.x[2] != 0;
            byte[] packet = new byte[Math.clamp(hvc.x[1], 0, Fragmenter.PACKET_SIZE)];
            port.read(rxBuffer, packet, 0, packet.length);
            more &= received(packet);
        }
    }

    /** {@return whether the drain may go on} */
    private boolean received(byte[] packet) {
        if (packet.length < PacketHeader.SIZE) {
            LOG.warn("message of {} bytes from the Resource Manager", packet.length);
            return true;
        }
        if ((packet[0] & 0xff) != PacketHeader.VERSION_AND_LENGTH) {
            LOG.warn("message of version 0x{} from the Resource Manager", Integer.toHexString(packet[0] & 0xff));
            return false;
        }
        int fragments = (packet[1] & 0xff) >>> 2;
        ByteBuffer header = ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN);
        int sequence = header.getShort(2) & 0xffff;
        int messageId = header.getInt(4);
        switch (packet[1] & 3) {
            case 0 -> continuation(packet, fragments, messageId);
            case 2 -> reply(packet, fragments, sequence, messageId);
            case 3 -> notification(packet, fragments, messageId);
            default -> {
                LOG.warn("the Resource Manager sent a request, 0x{}", Integer.toHexString(messageId));
                return false;
            }
        }
        return true;
    }

    private void reply(byte[] packet, int fragments, int sequence, int messageId) {
        Call call = outstanding.get(sequence);
        if (call == null || call.messageId != messageId) {
            return;
        }
        abort();
        outstanding.remove(sequence);
        if (packet.length < REPLY_HEADER || fragments > PacketHeader.MAX_FRAGMENTS) {
            fail(call.reply, Errno.EBADMSG, "malformed reply to 0x%x".formatted(messageId));
            return;
        }
        int error = ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).getInt(PacketHeader.SIZE);
        start(new Active(call, messageId, fragments, error), packet, REPLY_HEADER);
    }

    private void notification(byte[] packet, int fragments, int messageId) {
        abort();
        if (fragments > PacketHeader.MAX_FRAGMENTS) {
            LOG.warn("malformed notification 0x{}", Integer.toHexString(messageId));
            return;
        }
        start(new Active(null, messageId, fragments, 0), packet, PacketHeader.SIZE);
    }

    private void start(Active message, byte[] packet, int from) {
        active = message;
        message.payload.write(packet, from, packet.length - from);
        completeWhenWhole();
    }

    private void continuation(byte[] packet, int fragments, int messageId) {
        if (active == null) {
            return;
        }
        if (active.messageId != messageId || active.fragments != fragments) {
            abort();
            return;
        }
        active.payload.write(packet, PacketHeader.SIZE, packet.length - PacketHeader.SIZE);
        active.received++;
        completeWhenWhole();
    }

    private void completeWhenWhole() {
        Active message = active;
        if (message.received < message.fragments) {
            return;
        }
        active = null;
        if (message.call == null) {
            notifications.notified(message.messageId, message.payload.toByteArray());
        } else if (message.error == 0) {
            message.call.reply.complete(message.payload.toByteArray());
        } else {
            fail(message.call.reply, Errno.ofRm(message.error), "the Resource Manager answered 0x%x to 0x%x"
                    .formatted(message.error, message.messageId));
        }
    }

    private void abort() {
        if (active != null && active.call != null) {
            fail(active.call.reply, Errno.EIO, "the reply to 0x%x was broken off".formatted(active.messageId));
        }
        active = null;
    }

    private static void fail(CompletableFuture<byte[]> reply, Errno errno, String message) {
        reply.completeExceptionally(new GunyahError(errno, message));
    }

    /** {@return whether the call with this reply was taken and has no answer yet} */
    boolean isOutstanding(CompletableFuture<byte[]> reply) {
        return outstanding.values().stream().anyMatch(call -> call.reply == reply);
    }

    /** {@return the sequence numbers of calls without an answer, ascending} */
    int[] outstandingSequences() {
        int[] sequences = outstanding.keySet().stream().mapToInt(Integer::intValue).toArray();
        Arrays.sort(sequences);
        return sequences;
    }
}
