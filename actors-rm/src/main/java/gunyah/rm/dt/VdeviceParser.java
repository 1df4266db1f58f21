package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.Head;
import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.Peer;
import gunyah.rm.dt.GuestConfig.QueueDevice;
import gunyah.rm.dt.GuestConfig.QueuePairDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads one virtual device node (vm_config_parser.c). What this platform has no device for is NORESOURCE. */
final class VdeviceParser {
    private static final int DEFAULT_DEPTH = 8;
    private static final int MAX_DEPTH = 255;
    private static final int MAX_MESSAGE = 1023;
    private static final int MAX_QUEUES = 16;
    /** Of a pair of values for guest and owner. */
    private static final int BOTH = 2;
    private static final int CELLS_OF_RANGE = 4;
    private static final int MAX_PUSH = 6;
    private static final int MAX_PUSH_RPC = 3;
    private static final int SPI = 0;
    private static final int ESPI = 2;

    private final DtNode node;
    private final Head head;
    private final int[] virqs;

    private VdeviceParser(String path, DtNode node) {
        this.node = node;
        List<String> push = node.strings("push-compatible");
        check(push.size() <= MAX_PUSH);
        String generate = node.string("generate").or(() -> node.string("patch"))
                .orElse("/hypervisor/" + path.substring(path.lastIndexOf('/') + 1));
        check(!generate.replace("/", "").isEmpty() && !generate.endsWith("/"));
        this.head = new Head(generate, push, labelOf(node), peer(node));
        this.virqs = virqs(node);
    }

    static Vdevice parse(String type, String path, DtNode node) {
        VdeviceParser parser = new VdeviceParser(path, node);
        return switch (type) {
            case "rm-rpc" -> parser.rpc();
            case "doorbell" -> parser.doorbell(false);
            case "doorbell-source" -> parser.doorbell(true);
            case "message-queue" -> parser.queue();
            case "message-queue-pair" -> parser.queuePair();
            case "shm" -> parser.sharedMemory(false);
            case "shm-doorbell" -> parser.sharedMemory(true);
            case "iomem" -> parser.ioMemory();
            case "virtio-mmio" -> parser.virtio();
            default -> throw new RmFault(RmError.NORESOURCE);
        };
    }

    private RpcDevice rpc() {
        check(head.pushCompatible().size() <= MAX_PUSH_RPC && (virqs.length == 0 || virqs.length == 2));
        // The protocol's packets have this size; a queue of another one could carry none or too large ones.
        check(cell("message-size", Fragmenter.PACKET_SIZE) == Fragmenter.PACKET_SIZE);
        return new RpcDevice(head, Fragmenter.PACKET_SIZE, depth(), virq(0), virq(1), node.has("console-dev"));
    }

    private DoorbellDevice doorbell(boolean guestRings) {
        check(virqs.length <= 1);
        return new DoorbellDevice(head, guestRings, node.has("source-can-clear"), virq(0));
    }

    private QueueDevice queue() {
        check(node.has("is-sender") != node.has("is-receiver") && virqs.length <= 1);
        ownerOnly();
        return new QueueDevice(head, node.has("is-sender"), messageSize(), depth(), virq(0));
    }

    private QueuePairDevice queuePair() {
        check(virqs.length == 0 || virqs.length == 2);
        return new QueuePairDevice(head, messageSize(), depth(), virq(0), virq(1));
    }

    private SharedMemoryDevice sharedMemory(boolean doorbells) {
        return new SharedMemoryDevice(head, parcelLabel(), base(), memory().filter(m -> m.has("optional")).isPresent(),
                doorbells, address(node, "dma_base"));
    }

    private Optional<DtNode> memory() {
        return node.child("memory");
    }

    private int parcelLabel() {
        return memory().flatMap(m -> m.cell("qcom,label").or(() -> m.cell("label"))).orElse(head.label());
    }

    private Optional<Long> base() {
        return memory().filter(m -> !m.has("allocate-base")).flatMap(m -> address(m, "base"));
    }

    private IoMemoryDevice ioMemory() {
        ownerOnly();
        return new IoMemoryDevice(head, parcelLabel(), memory().flatMap(m -> m.cell("qcom,mem-info-tag")),
                both("qcom,rm_acl"), both("qcom,rm_attributes"), ranges("qcom,rm_sglist"));
    }

    private List<Integer> both(String property) {
        if (!node.has(property)) {
            return List.of();
        }
        return Arrays.stream(node.cells(property).filter(c -> c.length == BOTH).orElseThrow(VdeviceParser::invalid))
                .boxed().toList();
    }

    private List<MemRange> ranges(String property) {
        int[] cells = node.cells(property).orElse(new int[0]);
        check(cells.length % CELLS_OF_RANGE == 0);
        List<MemRange> ranges = new ArrayList<>();
        for (int i = 0; i < cells.length; i += CELLS_OF_RANGE) {
            ranges.add(new MemRange(DtNode.number(cells, i, 2), DtNode.number(cells, i + 2, 2)));
        }
        return ranges;
    }

    private VirtioDevice virtio() {
        check(virqs.length <= 1);
        ownerOnly();
        int queues = cell("vqs-num", 1);
        check(queues > 0 && queues <= MAX_QUEUES);
        return new VirtioDevice(head, parcelLabel(), base(), queues, node.cell("virtio,device-type"),
                address(node, "dma_base").orElse(0L), node.has("dma-coherent"), virq(0));
    }

    private void ownerOnly() {
        check(head.peer().kind() == Peer.Kind.OWNER);
    }

    private int messageSize() {
        int size = cell("message-size", Fragmenter.PACKET_SIZE);
        check(size > 0 && size <= MAX_MESSAGE);
        return size;
    }

    private int depth() {
        int depth = cell("queue-depth", DEFAULT_DEPTH);
        check(depth > 0 && depth <= MAX_DEPTH);
        return depth;
    }

    private int cell(String property, int otherwise) {
        return node.cell(property).orElse(otherwise);
    }

    private int virq(int index) {
        return index < virqs.length ? virqs[index] : 0;
    }

    private static int labelOf(DtNode node) {
        return node.cell("qcom,label").or(() -> node.cell("label")).orElse(0);
    }

    private static Optional<Long> address(DtNode node, String property) {
        if (!node.has(property)) {
            return Optional.empty();
        }
        int[] cells = node.cells(property).filter(c -> c.length == 1 || c.length == 2)
                .orElseThrow(VdeviceParser::invalid);
        long value = DtNode.number(cells, 0, cells.length);
        check((value & 0xfff) == 0 && value >= 0);
        return Optional.of(value);
    }

    private static Peer peer(DtNode node) {
        if (!node.has("peer")) {
            return Peer.OWNER;
        }
        check(!node.has("peer-default"));
        String text = node.string("peer").orElseThrow(VdeviceParser::invalid);
        for (Peer.Kind kind : List.of(Peer.Kind.NAME, Peer.Kind.URI, Peer.Kind.GUID)) {
            String prefix = "vm-" + kind.name().toLowerCase(Locale.ROOT) + ":";
            if (text.startsWith(prefix) && text.length() > prefix.length()) {
                return new Peer(kind, text.substring(prefix.length()));
            }
        }
        throw invalid();
    }

    private static int[] virqs(DtNode node) {
        int[] cells = node.cells("interrupts").orElse(new int[0]);
        check(cells.length % 3 == 0);
        int[] virqs = new int[cells.length / 3];
        for (int i = 0; i < virqs.length; i++) {
            int number = cells[3 * i + 1];
            check(number >= 0 && number < 1024);
            virqs[i] = switch (cells[3 * i]) {
                case SPI -> 32 + number;
                case ESPI -> 4096 + number;
                default -> throw invalid();
            };
        }
        return virqs;
    }

    private static void check(boolean legal) {
        if (!legal) {
            throw invalid();
        }
    }

    private static RmFault invalid() {
        return new RmFault(RmError.ARGUMENT_INVALID);
    }
}
