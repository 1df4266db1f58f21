package gunyah.rm;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;

/** Device trees of guests as a VMM for the Linux v17 driver writes them. */
public final class GuestTrees {
    public static final long GICD = 0x3fff_0000L;

    private GuestTrees() {
    }

    /** A tree with this many vCPUs and a doorbell of label 7 on SPI 5. */
    public static DtNode guest(int vcpus) {
        DtNode root = new DtNode("").cells("#address-cells", 2).cells("#size-cells", 2).cells("interrupt-parent", 1);
        root.add("chosen").strings("bootargs", "console=ttyS0");
        root.add("memory@80000000").strings("device_type", "memory").cells64("reg", 0x8000_0000L, 0x1000_0000L);
        DtNode cpus = root.add("cpus").cells("#address-cells", 1).cells("#size-cells", 0);
        for (int i = 0; i < vcpus; i++) {
            cpus.add("cpu@" + i).strings("device_type", "cpu").strings("compatible", "arm,armv8").cells("reg", i)
                    .strings("enable-method", "psci");
        }
        root.add("psci").strings("compatible", "arm,psci-1.0").strings("method", "hvc");
        root.add("intc@3fff0000").strings("compatible", "arm,gic-v3").flag("interrupt-controller")
                .cells("#interrupt-cells", 3).cells("phandle", 1)
                .cells64("reg", GICD, 0x1_0000, GICD - vcpus * 0x2_0000L, vcpus * 0x2_0000L);
        DtNode config = root.add("gunyah-vm-config").strings("image-name", "guest").strings("os-type", "linux");
        config.add("memory").cells("#address-cells", 2).cells("#size-cells", 2).cells64("base-address", 0x8000_0000L);
        config.add("interrupts").cells("config", 1);
        config.add("vcpus").strings("affinity", "proxy").cells("affinity-map", 0);
        DtNode vdevices = config.add("vdevices");
        vdevices.add("bell-7").strings("vdevice-type", "doorbell").strings("generate", "/hypervisor/bell-7")
                .cells("label", 7).flag("peer-default").flag("source-can-clear").cells("interrupts", 0, 5, 1);
        return root;
    }

    /** A tree named so, with one vCPU, a link to the Resource Manager with a console, and nothing else. */
    public static DtNode linked(String name) {
        DtNode root = guest(1);
        root.find("/gunyah-vm-config").orElseThrow().strings("image-name", name);
        DtNode devices = root.find("/gunyah-vm-config/vdevices").orElseThrow();
        devices.remove(devices.child("bell-7").orElseThrow());
        devices.add("rm").strings("vdevice-type", "rm-rpc").strings("generate", "/hypervisor/rm").flag("console-dev");
        return root;
    }

    /** {@return the node under which a tree has its virtual devices} */
    public static DtNode devices(DtNode root) {
        return root.find("/gunyah-vm-config/vdevices").orElseThrow();
    }

    public static byte[] blob(DtNode root) {
        return new Fdt(root).toBytes();
    }
}
