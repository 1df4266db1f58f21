package gunyah.vmm.driver;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypercallPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the driver reads in the host's device tree: RAM, CPUs and the Resource Manager node (bindings "gunyah-hypervisor",
 * Linux v17 2/35).
 *
 * @param ramBase    start of the largest memory range
 * @param ramSize    bytes of it
 * @param reserved   ranges inside memory the host must not use, the blob included
 * @param mpidrs     {@code reg} of each cpu node, in order
 * @param rm         the RM node, when there is a complete one
 */
record HostTree(long ramBase, long ramSize, List<Fdt.Reservation> reserved, List<Long> mpidrs, Optional<RmNode> rm) {
    private static final int MAX_BLOB = 2 << 20;
    private static final int SPI_FIRST = 32;
    private static final int PPI_FIRST = 16;
    private static final int ESPI_FIRST = 4096;

    /** Queue capabilities and interrupts (INTIDs) of the node {@code gunyah-resource-manager}. */
    record RmNode(long txCap, long rxCap, int txIntid, int rxIntid) {
    }

    /** Reads the blob at an address of the host. */
    static HostTree read(HypercallPort port, long address) {
        byte[] header = new byte[40];
        port.read(address, header, 0, header.length);
        int size = Fdt.totalSize(header);
        if (size < header.length || size > MAX_BLOB) {
            throw new GunyahError(Errno.ENODEV, "the host device tree claims %d bytes".formatted(size));
        }
        byte[] blob = new byte[size];
        port.read(address, blob, 0, size);
        return of(Fdt.parse(blob), address, size);
    }

    static HostTree of(Fdt tree, long address, int size) {
        DtNode root = tree.root();
        List<Fdt.Reservation> reserved = new ArrayList<>(tree.reservations());
        reserved.add(new Fdt.Reservation(address, size));
        Fdt.Reservation ram = new Fdt.Reservation(0, 0);
        for (DtNode node : root.children()) {
            if (node.string("device_type").filter("memory"::equals).isPresent()) {
                for (Fdt.Reservation range : ranges(root, node)) {
                    ram = range.size() > ram.size() ? range : ram;
                }
            }
        }
        root.child("reserved-memory").ifPresent(parent ->
                parent.children().forEach(node -> reserved.addAll(ranges(parent, node))));
        return new HostTree(ram.address(), ram.size(), List.copyOf(reserved), cpus(root), findRm(root));
    }

    private static List<Fdt.Reservation> ranges(DtNode parent, DtNode node) {
        int addressCells = parent.cell("#address-cells").orElse(2);
        int sizeCells = parent.cell("#size-cells").orElse(1);
        int[] cells = node.cells("reg").orElse(new int[0]);
        List<Fdt.Reservation> ranges = new ArrayList<>();
        for (int at = 0; at + addressCells + sizeCells <= cells.length; at += addressCells + sizeCells) {
            ranges.add(new Fdt.Reservation(DtNode.number(cells, at, addressCells),
                    DtNode.number(cells, at + addressCells, sizeCells)));
        }
        return ranges;
    }

    private static List<Long> cpus(DtNode root) {
        List<Long> mpidrs = new ArrayList<>();
        root.child("cpus").ifPresent(cpus -> {
            int addressCells = cpus.cell("#address-cells").orElse(1);
            for (DtNode cpu : cpus.children()) {
                int[] reg = cpu.cells("reg").orElse(new int[0]);
                if (cpu.string("device_type").filter("cpu"::equals).isPresent() && reg.length >= addressCells) {
                    mpidrs.add(DtNode.number(reg, 0, addressCells));
                }
            }
        });
        return List.copyOf(mpidrs);
    }

    private static Optional<RmNode> findRm(DtNode node) {
        if (node.isCompatible("gunyah-resource-manager")) {
            int[] reg = node.cells("reg").orElse(new int[0]);
            int[] interrupts = node.cells("interrupts").orElse(new int[0]);
            if (reg.length < 4 || interrupts.length < 6) {
                return Optional.empty();
            }
            return Optional.of(new RmNode(DtNode.number(reg, 0, 2), DtNode.number(reg, 2, 2),
                    intid(interrupts, 0), intid(interrupts, 3)));
        }
        for (DtNode child : node.children()) {
            Optional<RmNode> found = findRm(child);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static int intid(int[] cells, int at) {
        return switch (cells[at]) {
            case 0 -> SPI_FIRST + cells[at + 1];
            case 1 -> PPI_FIRST + cells[at + 1];
            case 2 -> ESPI_FIRST + cells[at + 1];
            default -> -1;
        };
    }
}
