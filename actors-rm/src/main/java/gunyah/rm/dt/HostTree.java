package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.rm.link.QueuePair;

/**
 * The primary VM's device tree on the QEMU {@code virt} like platform (Gunyah config/platform/qemu.conf): memory, CPUs
 * by PSCI, GICv3, timer and the {@code /hypervisor} node of the Linux binding (gunyah-hypervisor.yaml), plain
 * {@code gunyah-hypervisor} first so that both known driver generations bind.
 */
public final class HostTree {
    private static final int GIC_PHANDLE = 1;
    /** IPA of the distributor, its bytes, the first redistributor, and the bytes of each. */
    public static final long GICD = 0x0800_0000L;
    public static final long GICD_SIZE = 0x1_0000;
    public static final long GICR = 0x080a_0000L;
    public static final long GICR_SIZE = 0x2_0000;
    private static final int PPI = 1;
    private static final int LEVEL_HIGH = 4;

    private HostTree() {
    }

    /**
     * Adds what the Resource Manager has to say to the tree that a boot loader left for the primary VM's kernel.
     *
     * @param firstFreeLine lowest INTID that the Resource Manager may hand out
     * @throws IllegalStateException when something is there already
     */
    public static Fdt complete(Fdt loaded, int vmid, QueuePair queues, int firstFreeLine) {
        if (loaded.root().child("hypervisor").isPresent()) {
            throw new IllegalStateException("the primary VM's device tree has a node /hypervisor already");
        }
        hypervisor(loaded.root(), vmid, queues, firstFreeLine);
        return loaded;
    }

    /**
     * Builds the tree of a primary VM for which no boot loader left one.
     *
     * @param vmid          the primary VM's id
     * @param base          its RAM, physical = IPA
     * @param size          bytes of it
     * @param cpuCount      its vCPUs
     * @param queues        its link to the Resource Manager
     * @param firstFreeLine lowest INTID that the Resource Manager may hand out
     * @return the tree
     */
    public static Fdt build(int vmid, long base, long size, int cpuCount, QueuePair queues,
            int firstFreeLine) {
        DtNode root = new DtNode("").cells("#address-cells", 2).cells("#size-cells", 2)
                .strings("compatible", "linux,dummy-virt").strings("model", "gunyah-primary-vm")
                .cells("interrupt-parent", GIC_PHANDLE);
        root.add("chosen");
        root.add("memory@%x".formatted(base)).strings("device_type", "memory").cells64("reg", base, size);
        cpus(root, cpuCount);
        root.add("psci").strings("compatible", "arm,psci-1.0", "arm,psci-0.2").strings("method", "hvc");
        root.add("intc@%x".formatted(GICD)).strings("compatible", "arm,gic-v3").flag("interrupt-controller")
                .cells("#interrupt-cells", 3).cells("#address-cells", 0).cells("phandle", GIC_PHANDLE)
                .cells64("reg", GICD, GICD_SIZE, GICR, GICR_SIZE * cpuCount);
        root.add("timer").strings("compatible", "arm,armv8-timer").flag("always-on")
                .cells("interrupts", PPI, 13, LEVEL_HIGH, PPI, 14, LEVEL_HIGH, PPI, 11, LEVEL_HIGH, PPI, 10, LEVEL_HIGH);
        hypervisor(root, vmid, queues, firstFreeLine);
        return new Fdt(root);
    }

    private static void cpus(DtNode root, int cpuCount) {
        DtNode cpus = root.add("cpus").cells("#address-cells", 1).cells("#size-cells", 0);
        for (int i = 0; i < cpuCount; i++) {
            cpus.add("cpu@%x".formatted(i)).strings("device_type", "cpu").strings("compatible", "arm,armv8")
                    .cells("reg", i).strings("enable-method", "psci");
        }
    }

    private static void hypervisor(DtNode root, int vmid, QueuePair queues, int firstFreeLine) {
        DtNode hypervisor = root.add("hypervisor").cells("#address-cells", 2).cells("#size-cells", 0)
                .strings("compatible", "gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor",
                        "simple-bus");
        hypervisor.add("qcom,gunyah-vm").strings("compatible", "qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id")
                .cells("qcom,vmid", vmid);
        DtNode manager = hypervisor.add("gunyah-resource-mgr@%x".formatted(queues.clientTxCap()))
                .strings("compatible", "gunyah-resource-manager", "qcom,resource-manager-1-0",
                        "qcom,resource-manager");
        DeviceNodes.queues(manager, queues).cells("qcom,free-irq-start", firstFreeLine);
        DeviceNodes.interrupts(manager, 0, queues.clientTxVirq(), queues.clientRxVirq());
    }
}
