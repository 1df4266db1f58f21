package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Devices between a guest and its owner, from configuration nodes alone: queues of one way, shared memory with doorbells,
 * device memory. Guest code uses its ends, the primary VM the others; and what a node may not ask for.
 */
@Tag("guest")
class OwnerDevicesTest {
    private static final int TO_OWNER = 41;
    private static final int FROM_OWNER = 42;
    private static final int SHARED = 43;
    private static final int DEVICE = 44;
    private static final long AGENT = 0x4400_0000L;
    private static final long SHARED_MEMORY = 0x4300_0000L;
    private static final long SHARED_IPA = 0x9100_0000L;
    private static final long DEVICE_MEMORY = 0x0a10_0000L;
    private static final long MESSAGE = Agent.PAGE_IPA + 0x400;
    private static final long HOST_BUFFER = 0x4400_8000L + 0x100_0000;
    private static final int SEND = 0x1b;
    private static final int RECEIVE = 0x1c;
    private static final int RING = 0x12;
    private static final int TAKE_FLAGS = 0x13;

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private static DtNode tree() {
        DtNode root = Agent.tree("owned", 1);
        DtNode devices = GuestTrees.devices(root);
        device(devices, "out", "message-queue", TO_OWNER).flag("is-sender").cells("message-size", 16)
                .cells("queue-depth", 2);
        device(devices, "in", "message-queue", FROM_OWNER).flag("is-receiver").cells("interrupts", 0, 60, 1);
        device(devices, "ring", "shm-doorbell", SHARED).cells64("dma_base", 0x2000)
                .add("memory").cells("label", SHARED).cells64("base", SHARED_IPA);
        device(devices, "absent", "shm", SHARED + 100).add("memory").cells("label", SHARED + 100)
                .flag("allocate-base").flag("optional");
        devices.add("io").strings("vdevice-type", "iomem").strings("patch", "/uart").flag("peer-default")
                .strings("push-compatible", "gunyah,uart").cells("qcom,rm_attributes", 1, 1)
                .cells("qcom,rm_acl", 6, 4).cells64("qcom,rm_sglist", DEVICE_MEMORY, 0x2000)
                .add("memory").cells("label", DEVICE).cells("qcom,mem-info-tag", 9);
        root.add("uart").cells("clock-frequency", 24);
        root.add("reserved-memory").cells("#address-cells", 2).cells("#size-cells", 2).flag("ranges")
                .add("pool").strings("compatible", "shared-dma-pool").cells64("size", 0x10_0000).flag("reusable");
        return root;
    }

    private static DtNode device(DtNode devices, String name, String type, int label) {
        return devices.add(name).strings("vdevice-type", type).strings("generate", "/hypervisor/" + name)
                .cells("label", label).flag("peer-default");
    }

    private int share(int memType, int label, long ipa, long size, List<MemAttribute> attributes, AclEntry... acl) {
        return new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(memType, 0, label, List.of(acl),
                List.of(new MemRange(ipa, size)), attributes))).u32();
    }

    private HypResource resource(Agent agent, ResourceType type, int label) {
        return HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(agent.vmid))).stream()
                .filter(r -> r.type() == type.value() && r.label() == label).findFirst().orElseThrow();
    }

    @Test
    void guestAndOwnerUseTheDevicesOfTheGuestsNodes() {
        MachineState before = host.atRest();
        Agent guest = new Agent(host, tree(), AGENT);
        int shared = share(0, SHARED, SHARED_MEMORY, 0x1000, List.of(), new AclEntry(3, 6), new AclEntry(guest.vmid, 6));
        int io = share(1, DEVICE, DEVICE_MEMORY, 0x2000, List.of(new MemAttribute(1, 3), new MemAttribute(1, guest.vmid)),
                new AclEntry(guest.vmid, 6), new AclEntry(3, 4));
        guest.start();
        guest.run();

        queues(guest);
        sharedMemory(guest, shared);
        deviceMemory(guest, io);

        guest.stop();
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(shared, 0));
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(io, 0));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
        host.awaitSame(before, "what is left");
    }

    private void queues(Agent guest) {
        HypResource in = resource(guest, ResourceType.MSGQUEUE_RECEIVE, TO_OWNER);
        DtNode out = guest.device("qcom,gunyah-message-queue", TO_OWNER);
        assertThat(out.has("is-sender")).isTrue();
        assertThat(out.cell("tx_message_size")).contains(16);
        assertThat(out.cell("tx_queue_depth")).contains(2);
        assertThat(guest.store(MESSAGE, 0x1122_3344_5566_7788L)).isTrue();
        long tx = guest.capability("qcom,gunyah-message-queue", TO_OWNER);
        assertThat(guest.call(SEND, tx, 8, MESSAGE, 1)[0]).isZero();
        host.awaitFired(in.virq());
        assertThat(host.call(RECEIVE, in.capId(), HOST_BUFFER, 16)).startsWith(0, 8);
        assertThat(host.read(HOST_BUFFER)).isEqualTo(0x1122_3344_5566_7788L);

        HypResource sender = resource(guest, ResourceType.MSGQUEUE_SEND, FROM_OWNER);
        guest.enable(92);
        assertThat(host.call(SEND, sender.capId(), 8, HOST_BUFFER, 1)[0]).isZero();
        assertThat(guest.awaitInterrupt()).isEqualTo(92);
        assertThat(guest.store(MESSAGE, 0)).isTrue();
        assertThat(guest.device("qcom,gunyah-message-queue", FROM_OWNER).has("is-receiver")).isTrue();
        assertThat(guest.call(RECEIVE, guest.capability("qcom,gunyah-message-queue", FROM_OWNER), MESSAGE, 240))
                .startsWith(0, 8);
        assertThat(guest.load(MESSAGE)).contains(0x1122_3344_5566_7788L);
        assertThat(guest.call(SEND, guest.capability("qcom,gunyah-message-queue", FROM_OWNER), 8, MESSAGE, 1)[0])
                .as("the wrong way").isNotZero();
    }

    private void sharedMemory(Agent guest, int handle) {
        DtNode node = guest.device("qcom,gunyah-shm-doorbell", SHARED);
        assertThat(node.cell("peer")).contains(3);
        assertThat(node.cells("dma_base").orElseThrow()).containsExactly(0, 0x2000);
        DtNode reserved = guest.patched().child("reserved-memory").orElseThrow();
        assertThat(reserved.child("pool").orElseThrow().properties().keySet()).as("of no parcel, left alone")
                .containsExactly("compatible", "size", "reusable");
        DtNode buffer = reserved.children().stream()
                .filter(n -> n.cell("phandle").equals(node.cell("memory-region"))).findFirst().orElseThrow();
        assertThat(node.cell("buffer")).isEqualTo(buffer.cell("phandle"));
        assertThat(buffer.cell("qcom,rm-mem-handle")).contains(handle);
        assertThat(DtNode.number(buffer.cells("reg").orElseThrow(), 0, 2)).isEqualTo(SHARED_IPA);
        assertThat(guest.device("qcom,shared-memory", SHARED + 100).has("buffer")).as("optional memory").isFalse();
        assertThat(guest.store(SHARED_IPA, -3)).isTrue();
        assertThat(host.read(SHARED_MEMORY)).isEqualTo(-3);

        HypResource heard = resource(guest, ResourceType.DOORBELL_RECEIVER, SHARED);
        assertThat(guest.call(RING, guest.capability("qcom,gunyah-doorbell-source", SHARED), 5)[0]).isZero();
        host.awaitFired(heard.virq());
        assertThat(host.call(TAKE_FLAGS, heard.capId(), -1)).startsWith(0, 5);
        int line = 32 + guest.device("qcom,gunyah-doorbell", SHARED).cells("interrupts").orElseThrow()[1];
        guest.enable(line);
        assertThat(host.call(RING, resource(guest, ResourceType.DOORBELL_SOURCE, SHARED).capId(), 6)[0]).isZero();
        assertThat(guest.awaitInterrupt()).isEqualTo(line);
        assertThat(guest.call(TAKE_FLAGS, guest.capability("qcom,gunyah-doorbell", SHARED), -1)).startsWith(0, 6);
    }

    private static void deviceMemory(Agent guest, int handle) {
        DtNode node = guest.patched().find("/uart").orElseThrow();
        assertThat(node.cell("clock-frequency")).as("what was there").contains(24);
        assertThat(node.strings("compatible")).containsExactly("gunyah,uart");
        int[] reg = node.cells("reg").orElseThrow();
        assertThat(DtNode.number(reg, 0, 2)).isEqualTo(DEVICE_MEMORY);
        assertThat(DtNode.number(reg, 2, 2)).isEqualTo(0x2000);
        assertThat(node.cells("qcom,rm-mem-handle").orElseThrow()).containsExactly(0, handle);
        assertThat(node.cells("qcom,rm-acl").orElseThrow()).containsExactly(6, 4);
        assertThat(node.cells("qcom,rm-attributes").orElseThrow()).containsExactly(1, 1);
        assertThat(node.cell("peer")).contains(3);
        assertThat(guest.store(DEVICE_MEMORY + 0x1000, 7)).isTrue();
        assertThat(guest.load(DEVICE_MEMORY + 0x1000)).contains(7L);
        assertThat(guest.load(DEVICE_MEMORY + 0x2000)).isEmpty();
    }

    /** What INIT or START answers to a tree with one device that is wrong. */
    private void assertRefused(MessageId request, RmError error, Consumer<DtNode> device) {
        DtNode root = Agent.tree("refused", 1);
        device.accept(GuestTrees.devices(root).add("x").cells("label", DEVICE).flag("peer-default"));
        Agent guest = new Agent(host, root, AGENT);
        int io = share(1, DEVICE, DEVICE_MEMORY, 0x1000, List.of(), new AclEntry(3, 6), new AclEntry(guest.vmid, 6));

        guest.load();
        RmError init = host.error(MessageId.VM_INIT, new VmRequest(guest.vmid));
        assertThat(request == MessageId.VM_INIT ? init : host.error(request, new VmRequest(guest.vmid)))
                .isEqualTo(error);

        host.awaitState(guest.vmid, VmState.INIT_FAILED);
        guest.stop();
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(io, 0));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
    }

    @Test
    void whatADeviceCannotHaveFailsTheVmAndLeavesNothing() {
        MachineState before = host.atRest();
        assertRefused(MessageId.VM_INIT, RmError.ARGUMENT_INVALID,
                n -> n.strings("vdevice-type", "virtio-mmio").cells("virtio,device-type", 5));
        assertRefused(MessageId.VM_INIT, RmError.NORESOURCE, n -> n.strings("vdevice-type", "virtio-mmio")
                .add("memory").cells64("base", GuestTrees.GICD));
        assertRefused(MessageId.VM_INIT, RmError.ARGUMENT_INVALID,
                n -> n.strings("vdevice-type", "virtio-mmio").cells("interrupts", 0, 5, 1));
        assertRefused(MessageId.VM_INIT, RmError.NORESOURCE, n -> n.strings("vdevice-type", "vsmmu-v2"));
        assertRefused(MessageId.VM_INIT, RmError.NORESOURCE, n -> n.strings("vdevice-type", "vrtc-pl031"));
        assertRefused(MessageId.VM_INIT, RmError.NORESOURCE, n -> n.strings("vdevice-type", "watchdog"));
        for (Consumer<DtNode> expected : List.<Consumer<DtNode>>of(n -> n.cells("qcom,rm_acl", 6, 4),
                n -> n.cells("qcom,rm_attributes", 1, 1),
                n -> n.cells64("qcom,rm_sglist", DEVICE_MEMORY + 0x1000, 0x1000),
                n -> n.cells64("qcom,rm_sglist", DEVICE_MEMORY, 0x1000, 0, 0x1000))) {
            assertRefused(MessageId.VM_START, RmError.NORESOURCE, n -> expected.accept(
                    n.strings("vdevice-type", "iomem")));
        }
        host.awaitSame(before, "what is left");
    }
}
