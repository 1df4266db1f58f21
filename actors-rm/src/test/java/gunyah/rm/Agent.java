package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AuthImage;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketHeader;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A VM that the hypervisor schedules and that executes {@code agent.S}: the test tells it by a shared page which
 * hypercalls, loads and stores to make, and rings its doorbell. The program and the layout of the page are there.
 * Belongs to one thread of the test.
 */
final class Agent {
    static final long IMAGE_IPA = 0x8000_0000L;
    static final long PAGE_IPA = 0x9000_0000L;
    static final int IMAGE_SIZE = 0x1_0000;

    static final int TREE_OFFSET = 0x8000;
    private static final int PAGE_LABEL = 77;
    private static final int DONE = 0x08;
    private static final int WHAT = 0x10;
    private static final int ADDRESS = 0x18;
    private static final int VALUE = 0x20;
    private static final int FAULT = 0x58;
    private static final int CAP = 0x60;
    private static final int TAKEN = 0x68;
    private static final int PACKET = 0x200;
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(RealHost.LIMIT_SECONDS);

    private static final int INBOX = 0x400;

    private static final int LIST = 0x700;
    private static final int LIST_SIZE = 64;
    private static final int VISIT_SIZE = 32;

    private enum What { CALL, LOAD, STORE, LOAD32, STORE32, EXCHANGE, VISIT }

    /** How memory is reached; the ordinal is agent.S's number less one. */
    enum Access { LOAD, STORE, FETCH }

    /**
     * One access of guest code.
     *
     * @param value what a STORE stores
     */
    record Visit(Access access, long ipa, long value) {
    }

    /**
     * What came of a {@link Visit}.
     *
     * @param reached whether the access was allowed; a FETCH must find an undefined instruction
     * @param value   what a LOAD loaded
     */
    record Visited(boolean reached, long value) {
    }

    final int vmid;
    private final RealHost host;
    private final DtNode tree;
    private final long image;
    private final long page;
    private final Reassembler reassembler = new Reassembler();
    private int auth;
    private int imageOffset;
    private int entryOffset;
    private int imageHandle = -1;
    private int pageHandle = -1;
    private long bell;
    private DtNode patched;
    private long number;
    private int sequence;

    /**
     * Allocates a VMID for the agent; {@link #start} makes the rest.
     *
     * @param tree its device tree, from {@link #tree}
     * @param base 128 KiB of the primary VM's memory for image and page
     */
    Agent(RealHost host, DtNode tree, long base) {
        this.host = host;
        this.tree = tree;
        this.image = base;
        this.page = base + IMAGE_SIZE;
        this.vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
    }

    /** {@return the tree of an agent on one physical CPU} More devices may be added. */
    static DtNode tree(String name, int cpu) {
        DtNode root = GuestTrees.linked(name);
        DtNode vcpus = root.find("/gunyah-vm-config/vcpus").orElseThrow();
        vcpus.strings("affinity", "static").cells("affinity-map", cpu).cells("sched-priority", -1)
                .cells("sched-timeslice", 5000);
        DtNode devices = GuestTrees.devices(root);
        devices.add("bell").strings("vdevice-type", "doorbell").strings("generate", "/hypervisor/bell")
                .cells("label", 7).flag("peer-default").flag("source-can-clear").cells("interrupts", 0, 5, 1);
        devices.add("page").strings("vdevice-type", "shm").strings("generate", "/hypervisor/page")
                .cells("label", PAGE_LABEL).flag("peer-default")
                .add("memory").cells("label", PAGE_LABEL).cells64("base", PAGE_IPA);
        return root;
    }

    /**
     * Chooses how the image is verified and where it is, before {@link #load}.
     *
     * @param kind   AUTH constant of {@link ConfigImage}
     * @param offset of the image in its parcel
     * @param entry  of the program in the image
     */
    Agent image(int kind, int offset, int entry) {
        auth = kind;
        imageOffset = offset;
        entryOffset = entry;
        return this;
    }

    /** {@return where the image parcel is in the primary VM} */
    long parcel() {
        return image;
    }

    int imageHandle() {
        return imageHandle;
    }

    /** {@link #load} and {@link #initialise}. */
    void start() {
        load();
        initialise();
    }

    /** INIT, after authentication if the image needs it. */
    void initialise() {
        if (auth == ConfigImage.AUTH_PLATFORM) {
            host.ok(MessageId.VM_AUTH_IMAGE, new AuthImage(vmid, List.of()));
        }
        host.ok(MessageId.VM_INIT, new VmRequest(vmid));
        bell = HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid))).stream()
                .filter(r -> r.type() == ResourceType.DOORBELL_SOURCE.value() && r.label() == 7).findFirst()
                .orElseThrow().capId();
    }

    /** Up to CONFIG_IMAGE. */
    void load() {
        host.port.write(image + imageOffset + entryOffset, program(), 0, program().length);
        byte[] blob = GuestTrees.blob(tree);
        host.port.write(image + TREE_OFFSET, blob, 0, blob.length);
        host.port.write(page, new byte[0x1000], 0, 0x1000);
        number = 0;
        imageHandle = create(MessageId.MEM_LEND, 0, image, IMAGE_SIZE, new AclEntry(vmid, 7));
        pageHandle = create(MessageId.MEM_SHARE, PAGE_LABEL, page, 0x1000, new AclEntry(3, 6), new AclEntry(vmid, 6));
        host.ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, auth, imageHandle, imageOffset,
                TREE_OFFSET - imageOffset, TREE_OFFSET, IMAGE_SIZE - TREE_OFFSET));
    }

    /** START, and waits until the program runs. */
    void run() {
        host.ok(MessageId.VM_START, new VmRequest(vmid));
        patched = Fdt.parse(physical(image + TREE_OFFSET, IMAGE_SIZE - TREE_OFFSET)).root();
        put(CAP, capability("qcom,gunyah-doorbell", 7));
        load(IMAGE_IPA);
    }

    private static byte[] program() {
        try (InputStream in = Agent.class.getResourceAsStream("agent.img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int create(MessageId id, int label, long ipa, long size, AclEntry... acl) {
        return new WireReader(host.ok(id, new ParcelCreate(0, 0, label, List.of(acl),
                List.of(new MemRange(ipa, size)), List.of()))).u32();
    }

    /** Ends the VM and takes its own two parcels back; it can be started again. */
    void stop() {
        host.request(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
        host.ok(MessageId.VM_RESET, new VmRequest(vmid));
        host.awaitState(vmid, VmState.RESET);
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(imageHandle, 0));
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(pageHandle, 0));
    }

    /** {@return handles of its own two parcels, -1 for one that was not made} */
    List<Integer> handles() {
        return List.of(imageHandle, pageHandle);
    }

    /** {@return the device tree that the Resource Manager completed} */
    DtNode patched() {
        return patched;
    }

    /** {@return the node of a device with this compatible string and label} */
    DtNode device(String compatible, int label) {
        return patched.child("hypervisor").orElseThrow().children().stream()
                .filter(node -> node.isCompatible(compatible) && node.cell("label").filter(l -> l == label).isPresent())
                .findFirst().orElseThrow();
    }

    /** {@return the first capability of such a node} */
    long capability(String compatible, int label) {
        return DtNode.number(device(compatible, label).cells("reg").orElseThrow(), 0, 2);
    }

    /** {@return the result registers of a hypercall that guest code makes} */
    long[] call(int function, long... arguments) {
        put(ADDRESS, 0xc600_8000L | function);
        for (int i = 0; i < 7; i++) {
            put(VALUE + 8 * i, i < arguments.length ? arguments[i] : 0);
        }
        execute(What.CALL);
        long[] x = new long[8];
        for (int i = 0; i < x.length; i++) {
            x[i] = get(ADDRESS + 8 * i);
        }
        return x;
    }

    /** {@return the 64 bits guest code loads, or empty when the load faults} */
    Optional<Long> load(long ipa) {
        put(ADDRESS, ipa);
        execute(What.LOAD);
        return get(FAULT) == 0 ? Optional.of(get(VALUE)) : Optional.empty();
    }

    /** {@return the 32 bits guest code loads} */
    int load32(long ipa) {
        put(ADDRESS, ipa);
        execute(What.LOAD32);
        assertThat(get(FAULT)).as("load of %x", ipa).isZero();
        return (int) get(VALUE);
    }

    /** {@return whether guest code can store these 64 bits} */
    boolean store(long ipa, long value) {
        return store(What.STORE, ipa, value);
    }

    boolean store32(long ipa, int value) {
        return store(What.STORE32, ipa, value);
    }

    private boolean store(What what, long ipa, long value) {
        put(ADDRESS, ipa);
        put(VALUE, value);
        execute(what);
        return get(FAULT) == 0;
    }

    /** {@return what came of these accesses, which guest code makes one after the other} */
    List<Visited> visit(List<Visit> visits) {
        List<Visited> visited = new ArrayList<>(visits.size());
        for (int from = 0; from < visits.size(); from += LIST_SIZE) {
            List<Visit> some = visits.subList(from, Math.min(from + LIST_SIZE, visits.size()));
            ByteBuffer list = ByteBuffer.allocate(some.size() * VISIT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
            some.forEach(v -> list.putLong(v.access().ordinal() + 1).putLong(v.ipa()).putLong(v.value()).putLong(0));
            host.hypervisor.memory().write(page + LIST, list.array(), 0, list.capacity());
            put(VALUE, some.size());
            execute(What.VISIT);
            ByteBuffer results = ByteBuffer.wrap(physical(page + LIST, list.capacity())).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < some.size(); i++) {
                long fault = results.getLong(i * VISIT_SIZE + 24);
                boolean fetched = some.get(i).access() == Access.FETCH && fault >>> 26 == 0;
                visited.add(new Visited(fetched || fault == 0, results.getLong(i * VISIT_SIZE + 16)));
            }
        }
        return visited;
    }

    /** Lets the guest take an interrupt as an edge. */
    void enable(int intid) {
        store32(GuestTrees.GICD + 0x80 + intid / 32 * 4L, -1);
        store32(GuestTrees.GICD + 0xc00 + intid / 16 * 4L, 0xaaaa_aaaa);
        store32(GuestTrees.GICD + 0x100 + intid / 32 * 4L, 1 << intid % 32);
    }

    /** {@return the interrupt that the guest took last, 0 when none since it was forgotten} */
    int interrupt() {
        return (int) get(TAKEN);
    }

    void forgetInterrupt() {
        put(TAKEN, 0);
    }

    /** Waits until the guest has taken an interrupt other than that of its owner. {@return its number} */
    int awaitInterrupt() {
        long deadline = System.nanoTime() + LIMIT_NS;
        while (get(TAKEN) == 0) {
            assertThat(System.nanoTime() - deadline).as("interrupt of VM %d", vmid).isNegative();
            LockSupport.parkNanos(100_000);
        }
        int taken = interrupt();
        forgetInterrupt();
        return taken;
    }

    /** {@return the reply to a request that guest code sends to the Resource Manager} */
    Reply request(MessageId id, Payload payload) {
        int mine = sequence++ & 0xffff;
        for (byte[] packet : Fragmenter.split(new RmMessage(PacketType.REQUEST, mine, id.id(), payload.encode()))) {
            assertThat(sendPacket(packet)).isZero();
        }
        while (true) {
            byte[] packet = awaitPacket();
            Optional<RmMessage> message = reassembler.accept(packet, packet.length);
            if (message.filter(m -> m.type() == PacketType.REPLY && m.sequence() == mine).isPresent()) {
                return Reply.decode(message.get().payload());
            }
        }
    }

    /** {@return what msgqueue_send answers to a packet, whatever it holds} */
    long sendPacket(byte[] packet) {
        host.hypervisor.memory().write(page + PACKET, packet, 0, packet.length);
        return call(0x1b, DtNode.number(manager().cells("reg").orElseThrow(), 0, 2), packet.length, PAGE_IPA + PACKET,
                1)[0];
    }

    /** {@return the next packet from the Resource Manager} */
    byte[] awaitPacket() {
        long deadline = System.nanoTime() + LIMIT_NS;
        long rx = DtNode.number(manager().cells("reg").orElseThrow(), 2, 2);
        while (true) {
            long[] x = call(0x1c, rx, PAGE_IPA + PACKET, Fragmenter.PACKET_SIZE);
            if (x[0] == 0) {
                return physical(page + PACKET, (int) x[1]);
            }
            assertThat(System.nanoTime() - deadline).as("a packet for VM %d", vmid).isNegative();
        }
    }

    /** {@return as much of the reply as its first packet holds} The request must fit a packet; guest code waits. */
    Reply exchange(MessageId id, Payload payload) {
        int[] reg = manager().cells("reg").orElseThrow();
        List<byte[]> packets = Fragmenter.split(
                new RmMessage(PacketType.REQUEST, sequence++ & 0xffff, id.id(), payload.encode()));
        assertThat(packets).hasSize(1);
        host.hypervisor.memory().write(page + PACKET, packets.getFirst(), 0, packets.getFirst().length);
        put(VALUE, DtNode.number(reg, 0, 2));
        put(VALUE + 8, DtNode.number(reg, 2, 2));
        put(VALUE + 16, packets.getFirst().length);
        execute(What.EXCHANGE);
        assertThat(get(ADDRESS)).as("msgqueue_send").isZero();
        return Reply.decode(physical(page + INBOX + PacketHeader.SIZE, Fragmenter.PACKET_SIZE - PacketHeader.SIZE));
    }

    /** {@return the node of its link} */
    DtNode manager() {
        return patched.child("hypervisor").orElseThrow().children().stream()
                .filter(node -> node.isCompatible("gunyah-resource-manager")).findFirst().orElseThrow();
    }

    RmError error(MessageId id, Payload payload) {
        return request(id, payload).error().orElseThrow();
    }

    private void execute(What what) {
        put(WHAT, what.ordinal());
        number++;
        put(0, number);
        assertThat(host.call(0x12, bell, 1)[0]).as("doorbell_send").isZero();
        long deadline = System.nanoTime() + LIMIT_NS;
        for (int spins = 0; get(DONE) != number; spins++) {
            if (spins > 200) {
                LockSupport.parkNanos(20_000);
            }
            if (spins % 200 == 0 && host.exit(vmid).isPresent()) {
                throw new RealHost.Ended(vmid);
            }
            assertThat(System.nanoTime() - deadline).as("VM %d does %s: %s", vmid, what,
                    host.hypervisor.describeVcpus(vmid)).isNegative();
        }
    }

    /** {@return 64 bits of the page it shares with its owner} */
    long shared(int offset) {
        return get(offset);
    }

    private byte[] physical(long address, int size) {
        byte[] bytes = new byte[size];
        host.hypervisor.memory().read(address, bytes, 0, size);
        return bytes;
    }

    private long get(int offset) {
        return ByteBuffer.wrap(physical(page + offset, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void put(int offset, long value) {
        byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        host.hypervisor.memory().write(page + offset, bytes, 0, 8);
    }
}
