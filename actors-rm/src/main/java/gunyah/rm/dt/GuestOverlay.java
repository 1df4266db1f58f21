package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.Gic;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.link.QueuePair;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the Resource Manager adds to a guest's device tree at START (vm_creation.c, dto_construct.c). Changes the tree
 * it is given; throws NORESOURCE when the tree has a {@code /hypervisor} or no {@code /chosen}.
 */
public final class GuestOverlay {
    private static final int EDGE_RISING = 1;

    private final DtNode root;

    /** Starts an overlay on a tree. */
    public GuestOverlay(Fdt tree) {
        root = tree.root();
        if (root.children().stream().anyMatch(n -> n.baseName().equals("hypervisor")) || root.child("chosen").isEmpty()) {
            throw new RmFault(RmError.NORESOURCE);
        }
        hypervisor();
    }

    private DtNode hypervisor() {
        return root.child("hypervisor").orElseGet(() -> root.add("hypervisor")
                .cells("#address-cells", 2)
                .cells("#size-cells", 0)
                .strings("compatible", "gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor",
                        "simple-bus"));
    }

    /** Writes the seed of the kernel's address layout. */
    public GuestOverlay kaslrSeed(long seed) {
        root.child("chosen").orElseThrow().cells64("kaslr-seed", seed);
        return this;
    }

    /**
     * Writes {@code /memory}, sorted, touching ranges merged.
     *
     * @param ranges    guest-physical memory
     * @param keepGiven leaves a node that is there as it is
     */
    public GuestOverlay memory(List<MemRange> ranges, boolean keepGiven) {
        List<DtNode> given = root.children().stream().filter(n -> n.baseName().equals("memory")).toList();
        if (keepGiven && !given.isEmpty()) {
            return this;
        }
        given.forEach(root::remove);
        List<MemRange> merged = merge(ranges);
        int addressCells = root.cell("#address-cells").orElse(2);
        int sizeCells = root.cell("#size-cells").orElse(1);
        int[] reg = merged.stream().flatMapToInt(r -> IntStream.concat(
                cells(r.base(), addressCells), cells(r.size(), sizeCells))).toArray();
        root.add("memory@%x".formatted(merged.getFirst().base())).strings("device_type", "memory").cells("reg", reg);
        return this;
    }

    private static IntStream cells(long value, int count) {
        return count == 1 ? IntStream.of((int) value)
                : IntStream.of((int) (value >>> 32), (int) value);
    }

    /** {@return the ranges sorted by address, touching or overlapping ones joined} */
    public static List<MemRange> merge(List<MemRange> ranges) {
        List<MemRange> merged = new ArrayList<>();
        for (MemRange range : ranges.stream().sorted(Comparator.comparingLong(MemRange::base)).toList()) {
            MemRange last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && last.base() + last.size() >= range.base()) {
                long end = Math.max(last.base() + last.size(), range.base() + range.size());
                merged.set(merged.size() - 1, new MemRange(last.base(), end - last.base()));
            } else {
                merged.add(range);
            }
        }
        return merged;
    }

    /** Writes who the VM is. */
    public GuestOverlay identity(int vmid, int ownerVmid, GuestConfig config) {
        DtNode node = hypervisor().add("qcom,gunyah-vm")
                .strings("compatible", "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id")
                .cells("qcom,vmid", vmid)
                .cells("qcom,owner-vmid", ownerVmid)
                .strings("qcom,vendor", "Qualcomm")
                .strings("qcom,image-name", config.name());
        config.uri().ifPresent(uri -> node.strings("qcom,vm-uri", uri));
        config.guid().ifPresent(guid -> node.strings("qcom,vm-guid", guid));
        return this;
    }

    /** Writes the link to the Resource Manager. */
    public GuestOverlay rpc(RpcDevice device, QueuePair queues, int gicPhandle) {
        DtNode node = generate(device, queues.clientRxCap());
        compatible(node, device, "gunyah-resource-manager", "qcom,resource-manager", "qcom,resource-manager-1-0",
                "qcom,gunyah-message-queue", "qcom,gunyah-capability");
        queue(node, queues).cells("qcom,free-irq-start", 0);
        interrupts(node, gicPhandle, queues.clientTxVirq(), queues.clientRxVirq());
        return this;
    }

    /** Adds what describes a pair of queues, without its interrupts. {@return {@code node}} */
    static DtNode queue(DtNode node, QueuePair queues) {
        return node.cells64("reg", queues.clientTxCap(), queues.clientRxCap())
                .flag("qcom,is-full-duplex")
                .cells("qcom,tx-message-size", queues.messageSize())
                .cells("qcom,rx-message-size", queues.messageSize())
                .cells("qcom,tx-queue-depth", queues.depth())
                .cells("qcom,rx-queue-depth", queues.depth());
    }

    /**
     * Writes a doorbell.
     *
     * @param cap  in the guest's cspace
     * @param virq guest INTID when the guest hears
     */
    public GuestOverlay doorbell(DoorbellDevice device, long cap, int virq, int gicPhandle) {
        DtNode node = generate(device, cap);
        compatible(node, device, device.guestRings() ? "qcom,gunyah-doorbell-source" : "qcom,gunyah-doorbell",
                "qcom,gunyah-capability");
        node.cells64("reg", cap).cells("qcom,label", device.label()).cells("label", device.label());
        if (!device.guestRings()) {
            interrupts(node, gicPhandle, virq);
        }
        return this;
    }

    /** Writes the guest's capability of one of its vCPUs, for guests without PSCI. */
    public GuestOverlay vcpu(String path, long cap) {
        root.find(path).orElseThrow(() -> new RmFault(RmError.NORESOURCE)).cells64("qcom,gunyah-capability", cap);
        return this;
    }

    /** Writes where the interrupt controller is, when the tree left that to us. */
    public GuestOverlay gic(Gic gic, int vcpuCount) {
        if (!gic.addressed()) {
            DtNode node = root.find(gic.path()).orElseThrow(() -> new RmFault(RmError.NORESOURCE));
            node.cells64("reg", gic.distributor(), Gic.DISTRIBUTOR_SIZE, gic.redistributor(),
                    gic.stride() * vcpuCount);
            node.cells("#redistributor-regions", 1).cells64("redistributor-stride", gic.stride());
        }
        return this;
    }

    private DtNode generate(Vdevice device, long cap) {
        DtNode node = root;
        String[] parts = device.generate().substring(device.generate().startsWith("/") ? 1 : 0).split("/");
        for (String part : Arrays.copyOf(parts, parts.length - 1)) {
            node = node.childOrAdd(part);
        }
        return node.add("%s@%x".formatted(parts[parts.length - 1], cap));
    }

    private static void compatible(DtNode node, Vdevice device, String... own) {
        List<String> all = new ArrayList<>(device.pushCompatible());
        all.addAll(List.of(own));
        node.strings("compatible", all.toArray(String[]::new));
    }

    static void interrupts(DtNode node, int gicPhandle, int... intids) {
        int[] cells = new int[intids.length * 3];
        for (int i = 0; i < intids.length; i++) {
            boolean extended = intids[i] >= 4096;
            cells[3 * i] = extended ? 2 : 0;
            cells[3 * i + 1] = intids[i] - (extended ? 4096 : 32);
            cells[3 * i + 2] = EDGE_RISING;
        }
        if (gicPhandle != 0) {
            node.cells("interrupt-parent", gicPhandle);
        }
        node.cells("interrupts", cells);
    }
}
