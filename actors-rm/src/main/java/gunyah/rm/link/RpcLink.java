package gunyah.rm.link;

import gunyah.hyp.HypError;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls.QueueResult;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection. Replies and notifications leave in the order they were made, so a notification caused by a
 * request is seen before its reply. A full queue keeps the rest until the client has read; replies are never dropped,
 * of notifications beyond a limit the oldest that may be lost is.
 */
public final class RpcLink {
    private static final Logger LOG = LoggerFactory.getLogger(RpcLink.class);
    private static final int TX_BUFFER_OFFSET = 4096;

    private record Outgoing(RmMessage message, boolean droppable) {
    }

    private final int vmid;
    private final QueuePair queues;
    private final Root root;
    private final Reassembler reassembler = new Reassembler();
    private final byte[] packet = new byte[Fragmenter.PACKET_SIZE];
    private final Deque<Outgoing> waiting = new ArrayDeque<>();
    private final Deque<byte[]> sending = new ArrayDeque<>();
    private int droppableWaiting;
    private long dropped;
    private boolean broken;

    public RpcLink(int vmid, QueuePair queues, Root root) {
        this.vmid = vmid;
        this.queues = queues;
        this.root = root;
    }

    public QueuePair queues() {
        return queues;
    }

    public int vmid() {
        return vmid;
    }

    /** {@return whether so much waits to be sent that requests should stay in their queue} */
    public boolean isCongested() {
        return waiting.size() >= root.profile().pendingLimit();
    }

    /** {@return whether a packet was taken from the queue} A request it completes goes to {@code message}. */
    public boolean receive(Consumer<RmMessage> message) {
        long buffer = root.env().rmBase();
        if (broken) {
            return false;
        }
        QueueResult result;
        try {
            result = root.hypercalls().receive(queues.requests(), buffer, packet.length);
        } catch (HypFault fault) {
            breakDown(fault);
            return false;
        }
        if (result.error() != HypError.OK) {
            return false;
        }
        root.port().read(buffer, packet, 0, result.size());
        Optional<RmMessage> whole = reassembler.accept(packet, result.size());
        whole.ifPresent(message);
        return true;
    }

    /** Answers a request, at the next {@link #send}. */
    public void reply(RmMessage request, Reply reply) {
        waiting.add(new Outgoing(new RmMessage(PacketType.REPLY, request.sequence(), request.messageId(),
                reply.encode()), false));
    }

    /**
     * Tells the client something unasked, at the next {@link #send}.
     *
     * @param sequence  of the notification, 16 bits
     * @param droppable whether it may be lost when the client does not read
     */
    public void notify(MessageId id, Payload payload, int sequence, boolean droppable) {
        if (droppable && droppableWaiting >= root.profile().notificationLimit()) {
            dropOldest();
        }
        waiting.add(new Outgoing(new RmMessage(PacketType.NOTIFICATION, sequence, id.id(), payload.encode()),
                droppable));
        droppableWaiting += droppable ? 1 : 0;
    }

    private void dropOldest() {
        for (Iterator<Outgoing> i = waiting.iterator(); i.hasNext();) {
            if (i.next().droppable) {
                i.remove();
                droppableWaiting--;
                if (dropped++ == 0) {
                    LOG.info("VM {} does not read its notifications: the oldest are dropped", vmid);
                }
                return;
            }
        }
    }

    /** Sends until the queue is full or nothing waits; also to be called when the queue has room again. */
    public void send() {
        while (!broken && (!sending.isEmpty() || nextMessage())) {
            if (!sendPacket(sending.peek())) {
                return;
            }
            sending.remove();
        }
    }

    private boolean nextMessage() {
        Outgoing next = waiting.poll();
        if (next == null) {
            return false;
        }
        droppableWaiting -= next.droppable ? 1 : 0;
        sending.addAll(Fragmenter.split(next.message));
        return true;
    }

    private boolean sendPacket(byte[] bytes) {
        long buffer = root.env().rmBase() + TX_BUFFER_OFFSET;
        root.port().write(buffer, bytes, 0, bytes.length);
        try {
            return root.hypercalls().send(queues.answers(), buffer, bytes.length).error() == HypError.OK;
        } catch (HypFault fault) {
            breakDown(fault);
            return false;
        }
    }

    private void breakDown(HypFault fault) {
        LOG.warn("link to VM {} is broken: {}", vmid, fault.getMessage());
        broken = true;
        waiting.clear();
        sending.clear();
    }
}
