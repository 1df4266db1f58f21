package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.rm.dt.GuestConfig.Gic;
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
    private final DtNode root;
    private final int gicPhandle;

    /**
     * Starts an overlay on a tree.
     *
     * @param gicPhandle interrupt parent of devices, 0 = the tree's default
     */
    public GuestOverlay(Fdt tree, int gicPhandle) {
        root = tree.root();
        this.gicPhandle = gicPhandle;
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
        reg(root.add("memory@%x".formatted(merged.getFirst().base())).strings("device_type", "memory"), merged);
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
    public GuestOverlay identity(int vmid, int ownerVmid, GuestConfig config, List<Integer> peers) {
        DtNode node = hypervisor().add("qcom,gunyah-vm")
                .strings("compatible", "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id")
                .cells("qcom,vmid", vmid)
                .cells("qcom,owner-vmid", ownerVmid)
                .strings("qcom,vendor", "Qualcomm")
                .strings("qcom,image-name", config.name());
        config.uri().ifPresent(uri -> node.strings("qcom,vm-uri", uri));
        config.guid().ifPresent(guid -> node.strings("qcom,vm-guid", guid));
        node.cells("qcom,peers", peers.stream().mapToInt(Integer::intValue).toArray());
        return this;
    }

    /** {@return where virtual devices are written} */
    public DeviceNodes devices() {
        return new DeviceNodes(this, root, gicPhandle);
    }

    /**
     * Writes a parcel the guest has, or completes the node that the tree has for it.
     *
     * @param label      of the parcel
     * @param compatible strings of the device it belongs to; empty for none
     * @return the node's phandle
     */
    public int buffer(List<MemRange> ranges, int handle, int label, List<Integer> peers, List<String> compatible) {
        DtNode reserved = reservedMemory();
        DtNode node = reserved.children().stream()
                .filter(n -> n.cell("qcom,label").filter(l -> l == label).isPresent()).findFirst()
                .or(() -> reserved.children().stream().filter(n -> Arrays.equals(n.bytes("reg").orElse(new byte[0]),
                        reg(new DtNode(""), ranges).bytes("reg").orElseThrow())).findFirst())
                .orElseGet(() -> reg(reserved.add("buffer@%x".formatted(ranges.getFirst().base())), ranges)
                        .flag("no-map").cells("qcom,label", label));
        node.flag("qcom,shared-memory").cells("qcom,rm-mem-handle", handle)
                .cells("peers", peers.stream().mapToInt(Integer::intValue).toArray());
        if (!compatible.isEmpty()) {
            node.strings("compatible", compatible.toArray(String[]::new));
        }
        return phandle(node);
    }

    /** Writes where the firmware is, so that a kernel leaves it alone. */
    public GuestOverlay firmware(MemRange range) {
        reg(reservedMemory().add("firmware@%x".formatted(range.base())), List.of(range)).flag("no-map")
                .strings("compatible", "qcom,vm-firmware");
        return this;
    }

    private DtNode reservedMemory() {
        return root.child("reserved-memory").orElseGet(() -> root.add("reserved-memory")
                .cells("#address-cells", root.cell("#address-cells").orElse(2))
                .cells("#size-cells", root.cell("#size-cells").orElse(1)).flag("ranges"));
    }

    private DtNode reg(DtNode node, List<MemRange> ranges) {
        int addressCells = root.cell("#address-cells").orElse(2);
        int sizeCells = root.cell("#size-cells").orElse(1);
        return node.cells("reg", ranges.stream().flatMapToInt(r -> IntStream.concat(
                cells(r.base(), addressCells), cells(r.size(), sizeCells))).toArray());
    }

    /** {@return the node's phandle, given to it when it has none} */
    int phandle(DtNode node) {
        return node.cell("phandle").orElseGet(() -> {
            int free = highest(root) + 1;
            node.cells("phandle", free);
            return free;
        });
    }

    private static int highest(DtNode node) {
        return Math.max(node.cell("phandle").orElse(0),
                node.children().stream().mapToInt(GuestOverlay::highest).max().orElse(0));
    }

    /** Writes the guest's capability of one of its vCPUs, for guests without PSCI. */
    public GuestOverlay vcpu(String path, long cap) {
        root.find(path).orElseThrow(() -> new RmFault(RmError.NORESOURCE)).cells64("qcom,gunyah-capability", cap);
        return this;
    }

    /** Adds the bus that devices may be generated on, when there is none. */
    public GuestOverlay platformBus() {
        if (root.child("vsoc").isEmpty()) {
            root.add("vsoc").cells("#address-cells", 2).cells("#size-cells", 2).flag("ranges")
                    .strings("compatible", "simple-bus");
        }
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
}
