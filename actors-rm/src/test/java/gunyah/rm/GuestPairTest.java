package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import gunyah.config.fdt.DtNode;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import gunyah.rm.rpc.WireReader;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two VMs that the hypervisor schedules exchange data through devices that nobody made but their configuration nodes: a
 * pair of message queues, a doorbell each way and shared memory. Guest code on both sides makes every call and access.
 */
@Tag("guest")
class GuestPairTest {
    private static final int QUEUES = 21;
    private static final int BELL_TO_B = 22;
    private static final int BELL_TO_A = 23;
    private static final int BUFFER = 24;
    private static final long BUFFER_IPA = 0x9100_0000L;
    private static final long SHARED = 0x4300_0000L;
    private static final long MESSAGE = Agent.PAGE_IPA + 0x400;

    private final RealHost host = new RealHost(3, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private static DtNode tree(String name, String peer, int cpu) {
        DtNode root = Agent.tree(name, cpu);
        DtNode devices = GuestTrees.devices(root);
        device(devices, "queues", "message-queue-pair", QUEUES, peer).cells("message-size", 64).cells("queue-depth", 4);
        boolean first = name.equals("a");
        device(devices, "to-b", first ? "doorbell-source" : "doorbell", BELL_TO_B, peer);
        device(devices, "to-a", first ? "doorbell" : "doorbell-source", BELL_TO_A, peer);
        devices.add("buffer").strings("vdevice-type", "shm").strings("generate", "/hypervisor/buffer")
                .cells("label", BUFFER).flag("peer-default")
                .add("memory").cells("label", BUFFER).cells64("base", BUFFER_IPA);
        return root;
    }

    private static DtNode device(DtNode devices, String name, String type, int label, String peer) {
        return devices.add(name).strings("vdevice-type", type).strings("generate", "/hypervisor/" + name)
                .cells("label", label).strings("peer", "vm-name:" + peer);
    }

    @Test
    @Invariant({"R1", "R4"})
    void twoGuestsExchangeMessagesDoorbellsAndMemory() {
        Agent a = new Agent(host, tree("a", "b", 1), 0x4400_0000L);
        Agent b = new Agent(host, tree("b", "a", 2), 0x4500_0000L);
        int buffer = new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(0, 0, BUFFER,
                List.of(new AclEntry(3, 6), new AclEntry(a.vmid, 6), new AclEntry(b.vmid, 6)),
                List.of(new MemRange(SHARED, 0x1000)), List.of()))).u32();
        a.start();
        b.start();
        a.run();
        b.run();

        peersHearOfEachOther(a, b);
        seenByNobodyElse(a, b);
        messages(a, b);
        messages(b, a);
        doorbells(a, b, BELL_TO_B);
        doorbells(b, a, BELL_TO_A);
        assertThat(a.store(BUFFER_IPA + 8, 0x1122_3344_5566_7788L)).isTrue();
        assertThat(b.load(BUFFER_IPA + 8)).contains(0x1122_3344_5566_7788L);
        assertThat(b.store(BUFFER_IPA + 0xff8, -2)).isTrue();
        assertThat(a.load(BUFFER_IPA + 0xff8)).contains(-2L);
        assertThat(a.load(BUFFER_IPA + 0x1000)).isEmpty();

        b.stop();
        assertThat(List.of(status(a), status(a), status(a))).as("told of a peer that ends")
                .extracting(VmStatus::vmid, s -> VmState.of(s.state()))
                .containsExactly(tuple(b.vmid, VmState.EXITED), tuple(b.vmid, VmState.RESETTING),
                        tuple(b.vmid, VmState.RESET));
        assertThat(peers(a)).as("no peer any more").containsExactly(3);
        assertThat(a.store(BUFFER_IPA, 1)).as("the others keep it").isTrue();
        a.stop();
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(buffer, 0))).isEqualTo(RmError.OK);
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(a.vmid));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(b.vmid));
    }

    private static void peersHearOfEachOther(Agent a, Agent b) {
        assertThat(peers(a)).containsExactlyInAnyOrder(3, b.vmid);
        assertThat(peers(b)).containsExactlyInAnyOrder(3, a.vmid);
        assertThat(a.error(MessageId.VM_SET_STATUS, new StatusUpdate(4, 0x77))).isEqualTo(RmError.OK);
        VmStatus told = status(b);
        while (told.osState() == 0) {
            told = status(b);
        }
        assertThat(told).isEqualTo(new VmStatus(a.vmid, VmState.RUNNING.value(), 4, 0x77));
    }

    private static List<Integer> peers(Agent vm) {
        WireReader reader = new WireReader(vm.request(MessageId.VM_GET_PEERS, new Nothing()).body());
        return IntStream.range(0, reader.u32()).map(i -> reader.u32()).boxed().toList();
    }

    /** {@return the next VM_STATUS a guest is told} */
    private static VmStatus status(Agent vm) {
        while (true) {
            byte[] packet = vm.awaitPacket();
            Optional<RmMessage> message = new Reassembler().accept(packet, packet.length);
            if (message.filter(m -> m.messageId() == MessageId.VM_STATUS.id()).isPresent()) {
                return VmStatus.decode(message.get().payload());
            }
        }
    }

    // Its owner sees what a VM has with it, a third VM nothing at all; each of the two sees their devices.
    private void seenByNobodyElse(Agent a, Agent b) {
        Agent c = new Agent(host, Agent.tree("c", 0), 0x4600_0000L);
        c.start();
        c.run();
        for (Agent vm : List.of(a, b)) {
            assertThat(labels(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vm.vmid)))).contains(7)
                    .doesNotContain(QUEUES, BELL_TO_A, BELL_TO_B);
            assertThat(labels(c.request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vm.vmid)).body())).isEmpty();
        }
        assertThat(labels(a.request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(b.vmid)).body()))
                .containsExactlyInAnyOrder(QUEUES, QUEUES, BELL_TO_A, BELL_TO_B);
        c.stop();
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(c.vmid));
    }

    private static List<Integer> labels(byte[] resources) {
        return HypResource.decode(resources).stream().map(HypResource::label).toList();
    }

    private static void messages(Agent from, Agent to) {
        int[] receiver = to.device("qcom,gunyah-message-queue", QUEUES).cells("reg").orElseThrow();
        int[] lines = to.device("qcom,gunyah-message-queue", QUEUES).cells("interrupts").orElseThrow();
        to.enable(32 + lines[4]);
        for (long i = 0; i < 8; i++) {
            assertThat(from.store(MESSAGE + 8 * i, (i + 1) * 0x0101_0101_0101_0101L + from.vmid)).isTrue();
        }
        long tx = from.capability("qcom,gunyah-message-queue", QUEUES);
        for (int length = 61; length <= 64; length++) {
            assertThat(from.call(0x1b, tx, length, MESSAGE, 1)[0]).isZero();
        }
        assertThat(from.call(0x1b, tx, 1, MESSAGE, 1)[0]).as("four messages fill it").isEqualTo(61);
        assertThat(to.awaitInterrupt()).isEqualTo(32 + lines[4]);
        for (int length = 61; length <= 64; length++) {
            assertThat(to.store(MESSAGE + 56, 0)).isTrue();
            long[] x = to.call(0x1c, DtNode.number(receiver, 2, 2), MESSAGE, 64);
            assertThat(x).startsWith(0, length, length < 64 ? 1 : 0);
            for (long i = 0; i < 7; i++) {
                assertThat(to.load(MESSAGE + 8 * i)).contains((i + 1) * 0x0101_0101_0101_0101L + from.vmid);
            }
            long last = 8 * 0x0101_0101_0101_0101L + from.vmid;
            assertThat(to.load(MESSAGE + 56)).contains(length == 64 ? last : last & (1L << 8 * (length - 56)) - 1);
        }
    }

    private static void doorbells(Agent from, Agent to, int label) {
        int line = to.device("qcom,gunyah-doorbell", label).cells("interrupts").orElseThrow()[1] + 32;
        to.enable(line);

        assertThat(from.call(0x12, from.capability("qcom,gunyah-doorbell-source", label), 0x5a00_0000_0000_00a5L)[0])
                .isZero();

        // a message that came behind the first may have raised the queue's line once more
        int queue = 32 + to.device("qcom,gunyah-message-queue", QUEUES).cells("interrupts").orElseThrow()[4];
        int taken = to.awaitInterrupt();
        while (taken == queue) {
            taken = to.awaitInterrupt();
        }
        assertThat(taken).isEqualTo(line);
        assertThat(to.call(0x13, to.capability("qcom,gunyah-doorbell", label), -1))
                .startsWith(0, 0x5a00_0000_0000_00a5L);
        assertThat(Optional.of(from.call(0x13, from.capability("qcom,gunyah-doorbell-source", label), -1)[0]))
                .as("the source may not receive").isNotEqualTo(Optional.of(0L));
    }
}
