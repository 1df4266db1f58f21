package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A virtio device that nobody made but a guest's configuration node. Guest code has the driver: it loads and stores
 * registers and queues. The primary VM is the device, by hypercalls and in shared memory.
 */
@Tag("guest")
class VirtioGuestTest {
    private static final int LABEL = 31;
    private static final int BUFFER = 32;
    private static final long BUFFER_IPA = 0x9100_0000L;
    private static final long SHARED = 0x4300_0000L;
    private static final long AGENT = 0x4400_0000L;

    private static final int DEVICE_FEATURES = 0x10;
    private static final int DEVICE_FEATURES_SEL = 0x14;
    private static final int DRIVER_FEATURES = 0x20;
    private static final int DRIVER_FEATURES_SEL = 0x24;
    private static final int QUEUE_SEL = 0x30;
    private static final int QUEUE_NUM_MAX = 0x34;
    private static final int QUEUE_NUM = 0x38;
    private static final int QUEUE_READY = 0x44;
    private static final int QUEUE_NOTIFY = 0x50;
    private static final int INTERRUPT_STATUS = 0x60;
    private static final int INTERRUPT_ACK = 0x64;
    private static final int STATUS = 0x70;
    private static final int QUEUE_DESC = 0x80;
    private static final int QUEUE_DRIVER = 0x90;
    private static final int QUEUE_DEVICE = 0xa0;
    private static final int CONFIG = 0x100;
    private static final int VERSION_1_AND_ACCESS_PLATFORM = 3;
    private static final int READY_STATUS = 0xf;

    /** Places in the shared buffer. */
    private static final int DESCRIPTORS = 0;
    private static final int AVAILABLE = 0x100;
    private static final int USED = 0x200;
    private static final int DATA = 0x400;

    private static final int ASSERT_VIRQ = 0x4e;
    private static final int SET_FEATURES = 0x4f;
    private static final int SET_QUEUE_MAX = 0x50;
    private static final int GET_FEATURES = 0x51;
    private static final int GET_QUEUE = 0x52;
    private static final int GET_NOTIFICATION = 0x53;
    private static final int ACKNOWLEDGE_RESET = 0x54;

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private static DtNode tree() {
        DtNode root = Agent.tree("frontend", 1);
        DtNode devices = GuestTrees.devices(root);
        devices.add("block").strings("vdevice-type", "virtio-mmio").strings("generate", "/vsoc/virtio")
                .strings("push-compatible", "gunyah,test").cells("label", LABEL).flag("peer-default")
                .cells("vqs-num", 2).cells64("dma_base", 0x1000).flag("dma-coherent")
                .add("memory").cells("label", BUFFER).flag("allocate-base");
        devices.add("buffer").strings("vdevice-type", "shm").strings("generate", "/hypervisor/buffer")
                .cells("label", BUFFER).flag("peer-default")
                .add("memory").cells("label", BUFFER).cells64("base", BUFFER_IPA);
        return root;
    }

    private int share(Agent agent) {
        host.port.write(SHARED, new byte[0x1000], 0, 0x1000);
        return new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(0, 0, BUFFER,
                List.of(new AclEntry(3, 6), new AclEntry(agent.vmid, 6)), List.of(new MemRange(SHARED, 0x1000)),
                List.of()))).u32();
    }

    private HypResource resource(int vmid) {
        List<HypResource> found = HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)))
                .stream().filter(r -> r.type() == ResourceType.VIRTIO_MMIO.value()).toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    private void put(long ipa, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        host.port.write(ipa, bytes.array(), 0, bytes.capacity());
    }

    private long get(long ipa, int size) {
        byte[] bytes = new byte[8];
        host.port.read(ipa, bytes, 0, size);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    @Test
    void aGuestDrivesTheVirtioDeviceThatItsOwnerIs() {
        MachineState before = host.atRest();
        Agent driver = new Agent(host, tree(), AGENT);
        int buffer = share(driver);
        driver.start();
        HypResource device = resource(driver.vmid);
        host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(driver.vmid));
        assertThat(device).isEqualTo(resource(driver.vmid));
        assertThat(device.label()).isEqualTo(LABEL);
        assertThat(device.partnerVmid()).isEqualTo(driver.vmid);
        assertThat(device.base()).isBetween(0x3000_0000L, 0x3fff_f000L);
        assertThat(device.size()).isEqualTo(0x1000);
        assertThat(get(device.base(), 8)).as("a fresh page").isZero();
        put(device.base(), 0x7472_6976, 2, 2, 0x4751_4c43);
        put(device.base() + CONFIG, 0x1234_5678);
        host.call(SET_FEATURES, device.capId(), 1, VERSION_1_AND_ACCESS_PLATFORM);
        host.call(SET_QUEUE_MAX, device.capId(), 1, 8);
        driver.run();

        DtNode node = driver.patched().find("/vsoc").orElseThrow().children().getFirst();
        long registers = DtNode.number(node.cells("reg").orElseThrow(), 0, 2);
        int line = 32 + node.cells("interrupts").orElseThrow()[1];
        assertNode(driver, node, registers);
        driver.enable(line);
        initialise(driver, registers);
        host.awaitFired(device.virq());
        assertThat(host.call(GET_NOTIFICATION, device.capId())).startsWith(0, 0, 8);
        assertThat(host.call(GET_FEATURES, device.capId(), 1)).startsWith(0, VERSION_1_AND_ACCESS_PLATFORM);
        exchange(driver, registers, line, device);

        driver.store32(registers + STATUS, 0);
        assertThat(host.call(GET_NOTIFICATION, device.capId())).startsWith(0, 0, 2);
        assertThat(host.call(ASSERT_VIRQ, device.capId(), 1)[0]).as("while a reset waits").isNotZero();
        assertThat(driver.load32(registers + STATUS)).isNotZero();
        assertThat(host.call(ACKNOWLEDGE_RESET, device.capId())[0]).isZero();
        assertThat(driver.load32(registers + STATUS)).isZero();

        driver.stop();
        assertThat(host.call(GET_NOTIFICATION, device.capId())[0]).as("the device is gone").isNotZero();
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(buffer, 0));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(driver.vmid));
        host.awaitSame(before, "what is left");
    }

    private static void assertNode(Agent driver, DtNode node, long registers) {
        assertThat(node.name()).isEqualTo("virtio@%x".formatted(registers));
        assertThat(node.strings("compatible")).containsExactly("gunyah,test", "virtio,mmio");
        assertThat(DtNode.number(node.cells("reg").orElseThrow(), 2, 2)).isEqualTo(0x1000);
        assertThat(node.cell("label")).contains(LABEL);
        assertThat(node.cell("qcom,label")).contains(LABEL);
        assertThat(node.cell("peer")).contains(3);
        assertThat(node.cells("dma_base").orElseThrow()).containsExactly(0, 0x1000);
        assertThat(node.has("dma-coherent")).isTrue();
        DtNode memory = driver.patched().child("reserved-memory").orElseThrow().children().stream()
                .filter(n -> n.cell("qcom,label").filter(l -> l == BUFFER).isPresent()).findFirst().orElseThrow();
        assertThat(node.cell("memory-region")).isEqualTo(memory.cell("phandle"));
    }

    private void initialise(Agent driver, long registers) {
        assertThat(driver.load32(registers)).isEqualTo(0x7472_6976);
        assertThat(driver.load32(registers + CONFIG)).isEqualTo(0x1234_5678);
        for (int status : new int[] {1, 3}) {
            assertThat(driver.store32(registers + STATUS, status)).isTrue();
        }
        driver.store32(registers + DEVICE_FEATURES_SEL, 1);
        assertThat(driver.load32(registers + DEVICE_FEATURES)).isEqualTo(VERSION_1_AND_ACCESS_PLATFORM);
        driver.store32(registers + DRIVER_FEATURES_SEL, 1);
        driver.store32(registers + DRIVER_FEATURES, VERSION_1_AND_ACCESS_PLATFORM);
        driver.store32(registers + QUEUE_SEL, 1);
        assertThat(driver.load32(registers + QUEUE_NUM_MAX)).isEqualTo(8);
        driver.store32(registers + QUEUE_NUM, 8);
        driver.store32(registers + QUEUE_DESC, (int) BUFFER_IPA + DESCRIPTORS);
        driver.store32(registers + QUEUE_DRIVER, (int) BUFFER_IPA + AVAILABLE);
        driver.store32(registers + QUEUE_DEVICE, (int) BUFFER_IPA + USED);
        driver.store32(registers + QUEUE_READY, 1);
        driver.store32(registers + STATUS, READY_STATUS);
        assertThat(driver.store(registers + STATUS, 0)).as("a store of 8 bytes").isFalse();
        assertThat(driver.store32(registers + 0x1000, 0)).as("behind the page").isFalse();
    }

    // One descriptor: the device answers with the bits of what the driver asked turned over.
    private void exchange(Agent driver, long registers, int line, HypResource device) {
        driver.store(BUFFER_IPA + DATA, 0x0123_4567_89ab_cdefL);
        driver.store(BUFFER_IPA + DESCRIPTORS, BUFFER_IPA + DATA);
        driver.store(BUFFER_IPA + DESCRIPTORS + 8, 8 | 2L << 32);
        driver.store32(BUFFER_IPA + AVAILABLE, 1 << 16);
        driver.store32(registers + QUEUE_NOTIFY, 1);

        assertThat(host.call(GET_NOTIFICATION, device.capId())).startsWith(0, 2, 1);
        long[] queue = host.call(GET_QUEUE, device.capId(), 1);
        assertThat(queue).startsWith(0, 8, 1, BUFFER_IPA + DESCRIPTORS, BUFFER_IPA + AVAILABLE, BUFFER_IPA + USED);
        long offset = SHARED - BUFFER_IPA;
        assertThat(get(queue[4] + offset, 4)).isEqualTo(1 << 16);
        long data = get(queue[3] + offset, 8) + offset;
        long answer = ~get(data, 8);
        put(data, (int) answer, (int) (answer >>> 32));
        put(queue[5] + offset + 4, 0, 8);
        put(queue[5] + offset, 1 << 16);
        assertThat(host.call(ASSERT_VIRQ, device.capId(), 1)[0]).isZero();

        assertThat(driver.awaitInterrupt()).isEqualTo(line);
        assertThat(driver.load32(registers + INTERRUPT_STATUS)).isEqualTo(1);
        driver.store32(registers + INTERRUPT_ACK, 1);
        assertThat(driver.load32(registers + INTERRUPT_STATUS)).isZero();
        assertThat(driver.load32(BUFFER_IPA + USED)).isEqualTo(1 << 16);
        assertThat(driver.load(BUFFER_IPA + DATA)).contains(~0x0123_4567_89ab_cdefL);
    }

    @Test
    void aSecondLifeAndAStrangerFindNothingOfTheFirst() {
        Agent driver = new Agent(host, tree(), AGENT);
        int buffer = share(driver);
        driver.start();
        HypResource first = resource(driver.vmid);
        put(first.base() + CONFIG, -1);
        driver.stop();

        driver.start();

        HypResource second = resource(driver.vmid);
        assertThat(second.base()).isEqualTo(first.base());
        assertThat(second.virq()).isEqualTo(first.virq());
        assertThat(get(second.base() + CONFIG, 8)).isZero();
        driver.run();
        DtNode stranger = Agent.tree("stranger", 0);
        Agent other = new Agent(host, stranger, AGENT + 0x10_0000);
        other.start();
        other.run();
        assertThat(HypResource.decode(other.request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(driver.vmid)).body()))
                .isEmpty();
        other.stop();
        driver.stop();
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(buffer, 0));
    }
}
