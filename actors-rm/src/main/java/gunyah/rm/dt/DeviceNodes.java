package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.Head;
import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.QueueDevice;
import gunyah.rm.dt.GuestConfig.QueuePairDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.link.QueuePair;
import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.MemRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** The nodes of a guest's virtual devices (dto_construct.c). Capabilities are in the guest's cspace. */
public final class DeviceNodes {
    private static final int EDGE_RISING = 1;
    private static final int FIRST_ESPI = 4096;
    private static final int FIRST_SPI = 32;

    private final GuestOverlay overlay;
    private final DtNode root;
    private final int gicPhandle;

    DeviceNodes(GuestOverlay overlay, DtNode root, int gicPhandle) {
        this.overlay = overlay;
        this.root = root;
        this.gicPhandle = gicPhandle;
    }

    /** A doorbell's end: capability and, if it hears, INTID in the guest. */
    public record Bell(long cap, int virq) {
    }

    /** Writes the link to the Resource Manager. */
    public void rpc(RpcDevice device, QueuePair queues) {
        DtNode node = generate(device.head(), queues.clientRxCap());
        compatible(node, device.head(), "gunyah-resource-manager", "qcom,resource-manager",
                "qcom,resource-manager-1-0", "qcom,gunyah-message-queue", "qcom,gunyah-capability");
        queues(node, queues).cells("qcom,free-irq-start", 0).cells("qcom,vdevice-handle", device.label());
        interrupts(node, gicPhandle, queues.clientTxVirq(), queues.clientRxVirq());
    }

    /** Adds what describes the link's queues, without its interrupts. {@return {@code node}} */
    static DtNode queues(DtNode node, QueuePair queues) {
        return duplex(node.cells64("reg", queues.clientTxCap(), queues.clientRxCap()), queues.messageSize(),
                queues.depth());
    }

    private static DtNode duplex(DtNode node, int messageSize, int depth) {
        return node.flag("qcom,is-full-duplex")
                .cells("qcom,tx-message-size", messageSize).cells("qcom,rx-message-size", messageSize)
                .cells("qcom,tx-queue-depth", depth).cells("qcom,rx-queue-depth", depth);
    }

    /** Writes a pair of queues. */
    public void queuePair(QueuePairDevice device, Bell tx, Bell rx, Optional<Integer> peerVmid) {
        DtNode node = generate(device.head(), rx.cap);
        compatible(node, device.head(), "qcom,gunyah-message-queue", "qcom,gunyah-capability");
        duplex(node.cells64("reg", tx.cap, rx.cap), device.messageSize(), device.depth());
        peerVmid.ifPresent(vmid -> node.cells("qcom,peer-vmid", vmid));
        named(node, device.head());
        interrupts(node, gicPhandle, tx.virq, rx.virq);
    }

    /** Writes a queue of one way. */
    public void queue(QueueDevice device, Bell end) {
        DtNode node = generate(device.head(), end.cap);
        compatible(node, device.head(), "qcom,gunyah-message-queue", "qcom,gunyah-capability");
        String way = device.guestSends() ? "tx" : "rx";
        node.cells64("reg", end.cap).flag(device.guestSends() ? "is-sender" : "is-receiver")
                .cells(way + "_message_size", device.messageSize()).cells(way + "_queue_depth", device.depth());
        named(node, device.head());
        interrupts(node, gicPhandle, end.virq);
    }

    /** Writes a doorbell. */
    public void doorbell(DoorbellDevice device, Bell end) {
        bell(device.head(), device.guestRings(), end);
    }

    private DtNode bell(Head head, boolean rings, Bell end) {
        DtNode node = generate(head, end.cap);
        compatible(node, head, rings ? "qcom,gunyah-doorbell-source" : "qcom,gunyah-doorbell",
                "qcom,gunyah-capability");
        named(node.cells64("reg", end.cap), head);
        if (!rings) {
            interrupts(node, gicPhandle, end.virq);
        }
        return node;
    }

    /**
     * Writes shared memory.
     *
     * @param buffer   phandle of its node under reserved-memory, empty when nobody shares anything
     * @param bells    doorbells to ring and to hear, empty when it has none
     * @param peerVmid who is at its other end; written when the guest's tree does not name it
     */
    public void sharedMemory(SharedMemoryDevice device, Optional<Integer> buffer, List<Bell> bells,
            Optional<Integer> peerVmid) {
        DtNode node = generatePlain(device.head());
        peerVmid.ifPresent(vmid -> node.cells("peer", vmid));
        compatible(node, device.head(), bells.isEmpty() ? "qcom,shared-memory" : "qcom,gunyah-shm-doorbell");
        buffer.ifPresent(phandle -> node.cells("buffer", phandle).cells("memory-region", phandle));
        named(node, device.head());
        device.dmaBase().ifPresent(base -> node.cells64("dma_base", base));
        if (!bells.isEmpty()) {
            Head plain = new Head(device.head().generate() + "-doorbell", List.of(), device.label(),
                    device.head().peer());
            node.cells("tx-doorbell", overlay.phandle(bell(plain, true, bells.getFirst())));
            node.cells("rx-doorbell", overlay.phandle(bell(plain, false, bells.getLast())));
        }
    }

    /**
     * Writes a virtio device.
     *
     * @param ipa    of its registers
     * @param virq   INTID in the guest
     * @param peer   VMID of the back end
     * @param buffer phandle of the memory for its buffers, empty when nobody shares any
     */
    public void virtio(VirtioDevice device, long ipa, int virq, int peer, Optional<Integer> buffer) {
        DtNode node = generate(device.head(), ipa);
        compatible(node, device.head(), "virtio,mmio");
        node.cells64("reg", ipa, PhysRange.PAGE);
        buffer.ifPresent(phandle -> node.cells("memory-region", phandle));
        interrupts(node, gicPhandle, virq);
        named(node.cells64("dma_base", device.dmaBase()).cells("peer", peer), device.head());
        if (device.coherent()) {
            node.flag("dma-coherent");
        }
    }

    /**
     * Writes device memory, into a node that may be there already.
     *
     * @param ranges     physical
     * @param rights     of the guest and the owner, empty when not both have some
     * @param attributes likewise
     */
    public void ioMemory(IoMemoryDevice device, List<MemRange> ranges, int handle, int peer, List<Integer> rights,
            List<Integer> attributes) {
        String[] parts = parts(device.head());
        DtNode node = parent(parts).childOrAdd(parts[parts.length - 1]);
        compatible(node, device.head());
        node.cells("#address-cells", 2).cells("#size-cells", 2)
                .cells64("reg", ranges.stream().flatMapToLong(r -> LongStream.of(r.base(), r.size())).toArray())
                .cells("peer", peer).cells64("qcom,rm-mem-handle", Integer.toUnsignedLong(handle))
                .cells("qcom,label", device.parcelLabel());
        both(node, "qcom,rm-acl", rights);
        both(node, "qcom,rm-attributes", attributes);
    }

    private static void both(DtNode node, String property, List<Integer> values) {
        if (!values.isEmpty()) {
            node.cells(property, values.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private static void named(DtNode node, Head head) {
        node.cells("qcom,label", head.label()).cells("label", head.label());
        if (!head.peer().text().isEmpty()) {
            node.strings("peer", head.peer().text());
        }
    }

    private DtNode generate(Head head, long cap) {
        String[] parts = parts(head);
        return parent(parts).add("%s@%x".formatted(parts[parts.length - 1], cap));
    }

    private DtNode generatePlain(Head head) {
        String[] parts = parts(head);
        return parent(parts).add(parts[parts.length - 1]);
    }

    private static String[] parts(Head head) {
        return head.generate().substring(head.generate().startsWith("/") ? 1 : 0).split("/");
    }

    private DtNode parent(String[] parts) {
        DtNode node = root;
        for (String part : Arrays.copyOf(parts, parts.length - 1)) {
            node = node.childOrAdd(part);
        }
        return node;
    }

    private static void compatible(DtNode node, Head head, String... own) {
        List<String> all = new ArrayList<>(head.pushCompatible());
        all.addAll(List.of(own));
        if (all.isEmpty()) {
            return;
        }
        node.strings("compatible", all.toArray(String[]::new));
    }

    static void interrupts(DtNode node, int gicPhandle, int... intids) {
        int[] cells = new int[intids.length * 3];
        for (int i = 0; i < intids.length; i++) {
            boolean extended = intids[i] >= FIRST_ESPI;
            cells[3 * i] = extended ? 2 : 0;
            cells[3 * i + 1] = intids[i] - (extended ? FIRST_ESPI : FIRST_SPI);
            cells[3 * i + 2] = EDGE_RISING;
        }
        if (gicPhandle != 0) {
            node.cells("interrupt-parent", gicPhandle);
        }
        node.cells("interrupts", cells);
    }
}
