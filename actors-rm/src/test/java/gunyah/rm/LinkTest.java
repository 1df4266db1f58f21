package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.config.fdt.DtNode;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketHeader;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The transport on the real hypervisor, packet by packet: a guest's own code sends and receives them, through the queues
 * and with the interrupts of its link.
 */
@Tag("guest")
class LinkTest {
    private static final long MEMORY = 0x5000_0000L;
    private static final long FULL = 61;
    private static final int UNKNOWN = 0x5600_00ff;
    private static final int PENDING_LIMIT = 1024;
    private static final int DEPTH = 4;

    private final RealHost host = new RealHost(2, 320L << 20);
    private final Agent guest = new Agent(host, tree(), 0x4400_0000L);
    private final Reassembler reassembler = new Reassembler();

    LinkTest() {
        guest.start();
        guest.run();
    }

    private static DtNode tree() {
        DtNode root = Agent.tree("client", 1);
        GuestTrees.devices(root).child("rm").orElseThrow().cells("queue-depth", DEPTH)
                .cells("interrupts", 0, 60, 1, 0, 61, 1);
        return root;
    }

    @AfterEach
    void stop() {
        host.close();
    }

    private static byte[] packet(PacketType type, int fragments, int sequence, int id, int payload) {
        return ByteBuffer.allocate(PacketHeader.SIZE + payload).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0x21)
                .put((byte) (type.ordinal() | fragments << 2)).putShort((short) sequence).putInt(id).array();
    }

    private static byte[] request(int sequence, int id) {
        return packet(PacketType.REQUEST, 0, sequence, id, 0);
    }

    private void send(byte[] packet) {
        await().atMost(Duration.ofMinutes(2)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> {
            long error = guest.sendPacket(packet);
            assertThat(error).isIn(0L, FULL);
            return error == 0;
        });
    }

    /** {@return the next message, all of whose packets follow the rules} */
    private RmMessage receive() {
        List<byte[]> packets = new ArrayList<>();
        while (true) {
            byte[] packet = guest.awaitPacket();
            packets.add(packet);
            Optional<RmMessage> message = reassembler.accept(packet, packet.length);
            if (message.isPresent()) {
                assertWellFormed(packets);
                return message.get();
            }
        }
    }

    private static void assertWellFormed(List<byte[]> packets) {
        for (int i = 0; i < packets.size(); i++) {
            byte[] packet = packets.get(i);
            assertThat(packet[0]).isEqualTo((byte) 0x21);
            assertThat((packet[1] & 3) == 0).as("packet %d continues", i).isEqualTo(i > 0);
            assertThat(packet[1] >>> 2 & 63).as("fragments").isEqualTo(packets.size() - 1);
            assertThat(Arrays.copyOfRange(packet, 2, 8)).isEqualTo(Arrays.copyOfRange(packets.getFirst(), 2, 8));
            assertThat(packet.length).isBetween(8, 240);
            assertThat(i == packets.size() - 1 || packet.length == 240).as("full").isTrue();
        }
    }

    private void assertAnswered(int sequence, int id, int error) {
        RmMessage reply = receive();
        assertThat(reply.type()).isEqualTo(PacketType.REPLY);
        assertThat(reply.sequence()).isEqualTo(sequence);
        assertThat(reply.messageId()).isEqualTo(id);
        assertThat(Reply.decode(reply.payload()).code()).isEqualTo(error);
    }

    private void assertSilence() {
        // One more request: whatever was sent before it would have been answered first.
        send(request(0x7777, UNKNOWN));
        assertAnswered(0x7777, UNKNOWN, -1);
    }

    @Test
    void theLinkHasTheQueuesAndRightsOfItsNode() {
        DtNode node = guest.manager();
        int[] reg = node.cells("reg").orElseThrow();
        long tx = DtNode.number(reg, 0, 2);
        long rx = DtNode.number(reg, 2, 2);
        assertThat(node.cell("qcom,tx-queue-depth")).contains(DEPTH);
        assertThat(node.cell("qcom,rx-queue-depth")).contains(DEPTH);
        assertThat(node.cell("qcom,tx-message-size")).contains(240);
        assertThat(node.cell("qcom,rx-message-size")).contains(240);
        assertThat(node.cells("interrupts").orElseThrow()).containsExactly(0, 60, 1, 0, 61, 1);
        assertThat(guest.call(0x1b, rx, 8, Agent.PAGE_IPA, 0)[0]).as("sends where it receives").isNotZero();
        assertThat(guest.call(0x1c, tx, Agent.PAGE_IPA + 0x800, 240)[0]).as("receives where it sends").isNotZero();
        assertThat(guest.call(0x1d, tx)[0]).as("flushes").isNotZero();
        assertThat(guest.sendPacket(new byte[241])).as("241 bytes").isNotZero();
    }

    @Test
    void anAnswerRaisesTheReceiveLineAndFollowsWithoutPush() {
        guest.enable(93);
        send(request(5, MessageId.VM_GET_VMID.id()));
        assertThat(guest.awaitInterrupt()).isEqualTo(93);
        RmMessage reply = receive();
        assertThat(reply.sequence()).isEqualTo(5);
        assertThat(new WireReader(Reply.decode(reply.payload()).body()).u32()).isEqualTo(guest.vmid);

        int[] reg = guest.manager().cells("reg").orElseThrow();
        assertThat(guest.call(0x20, DtNode.number(reg, 2, 2), 2, -1)[0]).as("interrupt from two messages on").isZero();
        send(request(6, UNKNOWN));
        byte[] first = guest.awaitPacket();
        assertThat(first[2]).isEqualTo((byte) 6);
        assertThat(guest.interrupt()).as("one message, not pushed").isZero();
    }

    @Test
    @Invariant("T2")
    void packetsThatFitNowhereAreDroppedAndTheNextMessageIsServed() {
        for (int length = 1; length < 8; length++) {
            send(Arrays.copyOf(request(1, UNKNOWN), length));
        }
        byte[] wrong = request(1, UNKNOWN);
        wrong[0] = 0x22;
        send(wrong);
        send(packet(PacketType.REQUEST, 63, 1, UNKNOWN, 232));
        send(packet(PacketType.CONTINUATION, 1, 1, UNKNOWN, 4));
        send(packet(PacketType.REPLY, 0, 1, UNKNOWN, 4));
        send(packet(PacketType.NOTIFICATION, 0, 1, MessageId.VM_STATUS.id(), 8));
        assertSilence();

        send(packet(PacketType.REQUEST, 1, 2, UNKNOWN, 232));
        send(packet(PacketType.CONTINUATION, 1, 2, UNKNOWN - 1, 4));
        send(packet(PacketType.CONTINUATION, 1, 3, UNKNOWN, 4));
        send(packet(PacketType.CONTINUATION, 2, 2, UNKNOWN, 4));
        send(packet(PacketType.CONTINUATION, 1, 2, UNKNOWN, 4));
        assertAnswered(2, UNKNOWN, -1);

        send(packet(PacketType.REQUEST, 2, 4, UNKNOWN, 232));
        send(packet(PacketType.CONTINUATION, 2, 4, UNKNOWN, 232));
        send(request(5, MessageId.VM_GET_VMID.id()));
        assertAnswered(5, MessageId.VM_GET_VMID.id(), 0);
        send(packet(PacketType.CONTINUATION, 2, 4, UNKNOWN, 4));
        assertSilence();
    }

    @Test
    void messagesOfAllSizesPassUpTo63Packets() {
        for (int fragments : new int[] {0, 1, 7, 8, 62}) {
            for (int i = 0; i <= fragments; i++) {
                send(packet(i == 0 ? PacketType.REQUEST : PacketType.CONTINUATION, fragments, fragments, UNKNOWN, 232));
            }
            assertAnswered(fragments, UNKNOWN, -1);
        }
    }

    @Test
    void listsMayBeAbsentAndMustEndWithTheMessage() {
        byte[] accept = packet(PacketType.REQUEST, 0, 1, MessageId.MEM_ACCEPT.id(), 24);
        accept[8] = 99;
        send(accept);
        assertAnswered(1, MessageId.MEM_ACCEPT.id(), RmError.HANDLE_INVALID.code());
        for (int length : new int[] {12, 23, 28}) {
            send(packet(PacketType.REQUEST, 0, length, MessageId.MEM_ACCEPT.id(), length));
            assertAnswered(length, MessageId.MEM_ACCEPT.id(), RmError.MSG_INVALID.code());
        }
    }

    @Test
    void anAnswerThatTheQueueHasNoRoomForGoesOnWhenTheClientReads() {
        int pieces = 512;
        List<MemRange> ranges = IntStream.range(0, pieces).mapToObj(i -> new MemRange(MEMORY + i * 4096L, 4096)).toList();
        int handle = new WireReader(host.ok(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(guest.vmid, 7)), ranges, List.of()))).u32();
        byte[] payload = new ParcelAccept(handle, 0, 1, ParcelAccept.DONE, 0, List.of(), List.of(), 0, List.of())
                .encode();
        send(Fragmenter.split(new RmMessage(PacketType.REQUEST, 9, MessageId.MEM_ACCEPT.id(), payload)).getFirst());
        send(request(10, MessageId.VM_GET_VMID.id()));

        RmMessage reply = receive();

        assertThat(reply.sequence()).isEqualTo(9);
        WireReader reader = new WireReader(Reply.decode(reply.payload()).body());
        assertThat(reader.u16()).isEqualTo(pieces);
        assertThat(reader.u8()).as("complete").isZero();
        reader.skip(1);
        for (int i = 0; i < pieces; i++) {
            assertThat(reader.u64()).as("address %d", i).isEqualTo(i * 4096L);
            assertThat(reader.u64()).isEqualTo(4096);
        }
        assertAnswered(10, MessageId.VM_GET_VMID.id(), 0);
    }

    @Test
    @Invariant("T3")
    void everyRequestOfAClientThatDoesNotReadIsAnsweredInOrderAndItsQueueFillsUp() {
        // Answers that wait, one that is being sent, and two queues.
        int sent = PENDING_LIMIT + 1 + 2 * DEPTH;
        for (int i = 0; i < sent; i++) {
            send(request(i, asked(i)));
        }
        guest.enable(92);
        for (int i = 0; i < 40; i++) {
            assertThat(guest.sendPacket(request(sent, UNKNOWN))).isEqualTo(FULL);
            if (i == 20) {
                guest.forgetInterrupt();
            }
        }
        assertThat(guest.interrupt()).as("the queue stays full").isZero();

        for (int i = 0; i < sent; i++) {
            assertAnswered(i, asked(i), i % 2 == 0 ? -1 : 0);
        }

        assertThat(guest.awaitInterrupt()).as("there is room again").isEqualTo(92);
        assertSilence();
    }

    private static int asked(int number) {
        return number % 2 == 0 ? UNKNOWN : MessageId.VM_GET_VMID.id();
    }

    @Test
    @Invariant("T4")
    void of400NoticesThatAClientDoesNotReadThe256LatestComeInOrder() {
        int handle = new WireReader(host.ok(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(guest.vmid, 7)), List.of(new MemRange(MEMORY, 4096)), List.of()))).u32();
        for (int tag = 0; tag < 400; tag++) {
            host.ok(MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.RECALL, tag, List.of(guest.vmid)));
        }
        send(request(1, MessageId.VM_GET_VMID.id()));

        List<RmMessage> news = new ArrayList<>();
        for (RmMessage next = receive(); next.type() == PacketType.NOTIFICATION; next = receive()) {
            news.add(next);
        }

        List<Integer> tags = news.stream().map(m -> new WireReader(m.payload()).skip(4).u32()).toList();
        assertThat(tags).isSorted().doesNotHaveDuplicates();
        assertThat(tags.subList(tags.size() - 256, tags.size()))
                .isEqualTo(IntStream.range(144, 400).boxed().toList());
        assertThat(tags).hasSizeBetween(256 + DEPTH, 256 + DEPTH + 1);
        assertThat(news).extracting(RmMessage::messageId).containsOnly(MessageId.MEM_RECALL.id());
        for (int i = 1; i < news.size(); i++) {
            assertThat(news.get(i).sequence()).isGreaterThan(news.get(i - 1).sequence());
        }
    }
}
