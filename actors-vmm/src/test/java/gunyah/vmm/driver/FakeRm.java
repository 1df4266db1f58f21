package gunyah.vmm.driver;

import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.WireWriter;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * A Resource Manager that says yes: records the calls, answers them over the queues of a {@link FakeGunyah}, sends
 * VM_EXITED after STOP and VM_STATUS(RESET) after RESET.
 */
final class FakeRm implements FakeGunyah.Peer {
    static final int VMID = 0x80;
    static final long VCPU_CAP = 0x900;
    static final int VCPU_INTID = 100;
    static final long BELL_CAP = 0xa00;

    private final FakeGunyah gunyah;
    private final List<MessageId> received = new ArrayList<>();
    private final Map<MessageId, byte[]> payloads = new EnumMap<>(MessageId.class);
    private final Map<MessageId, RmError> refusals = new EnumMap<>(MessageId.class);
    private final Map<MessageId, Runnable> before = new EnumMap<>(MessageId.class);
    private final ByteArrayOutputStream joined = new ByteArrayOutputStream();
    private int joinedPackets;
    private boolean silentStop;

    FakeRm(FakeGunyah gunyah) {
        this.gunyah = gunyah;
    }

    synchronized void refuse(MessageId message, RmError error) {
        refusals.put(message, error);
    }

    /** Runs something between a call and its answer. */
    synchronized void before(MessageId message, Runnable action) {
        before.put(message, action);
    }

    /** STOP is answered, but the VM never ends. */
    synchronized void neverStops() {
        silentStop = true;
    }

    synchronized List<MessageId> received() {
        return List.copyOf(received);
    }

    synchronized byte[] payload(MessageId message) {
        return payloads.get(message);
    }

    @Override
    public synchronized void received(byte[] packet) {
        ByteBuffer header = ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN);
        joined.write(packet, 8, packet.length - 8);
        if (joinedPackets++ < (packet[1] & 0xff) >>> 2) {
            return;
        }
        byte[] payload = joined.toByteArray();
        joined.reset();
        joinedPackets = 0;
        int sequence = header.getShort(2) & 0xffff;
        MessageId message = MessageId.of(header.getInt(4)).orElseThrow();
        received.add(message);
        payloads.put(message, payload);
        Runnable first = before.get(message);
        if (first != null) {
            first.run();
        }
        RmError refusal = refusals.get(message);
        Reply reply = refusal != null ? Reply.of(refusal) : answer(message);
        if (refusal == null && message == MessageId.VM_STOP && !silentStop) {
            exited(7);
        }
        if (refusal == null && message == MessageId.VM_RESET) {
            notify(MessageId.VM_STATUS, new WireWriter().u16(VMID).u16(0).u8(11).u8(0).u16(0).toBytes());
        }
        send(new RmMessage(PacketType.REPLY, sequence, message.id(), reply.encode()));
    }

    private static Reply answer(MessageId message) {
        return switch (message) {
            case VM_ALLOC_VMID -> Reply.ofWord(VMID);
            case VM_GET_VMID -> Reply.ofWord(3);
            case MEM_LEND -> Reply.ofWord(77);
            case VM_GET_HYP_RESOURCES -> Reply.of(HypResource.encode(List.of(
                    HypResource.of(ResourceType.VCPU, 0, 0, VCPU_CAP, VCPU_INTID),
                    HypResource.of(ResourceType.VCPU, 0, 1, VCPU_CAP + 1, VCPU_INTID + 1),
                    HypResource.of(ResourceType.DOORBELL_SOURCE, VMID, 1, BELL_CAP, 0),
                    HypResource.of(ResourceType.ADDRSPACE, VMID, 0, 0x100, 0),
                    HypResource.of(ResourceType.MEMEXTENT, VMID, 0, 0x200, 0),
                    HypResource.of(ResourceType.MEMEXTENT, VMID, 1, 0x201, 0),
                    HypResource.of(ResourceType.MEMEXTENT, VMID, 2, 0x202, 0),
                    HypResource.of(ResourceType.MEMEXTENT, VMID, 3, 0x203, 0))));
            default -> Reply.of(RmError.OK);
        };
    }

    /** Tells the host that the VM ended. */
    void exited(int type) {
        notify(MessageId.VM_EXITED, new WireWriter().u16(VMID).u16(type).u32(4).u32(0).toBytes());
    }

    void notify(MessageId message, byte[] payload) {
        send(new RmMessage(PacketType.NOTIFICATION, 0, message.id(), payload));
    }

    private void send(RmMessage message) {
        Fragmenter.split(message).forEach(gunyah::toHost);
        gunyah.raise(FakeGunyah.RX_INTID);
    }
}
