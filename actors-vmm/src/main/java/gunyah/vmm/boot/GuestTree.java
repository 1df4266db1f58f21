package gunyah.vmm.boot;

import gunyah.config.BadInput;
import gunyah.config.Serial;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.DtOverlay;
import gunyah.config.fdt.Fdt;
import gunyah.vmm.device.Ns16550;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The guest's device tree (Devicetree Specification 0.4; Linux bindings arm,gic-v3, arm,pl011, arm,pl031, psci), and in
 * it the node {@code gunyah-vm-config} that tells the Resource Manager how to build the VM.
 */
public final class GuestTree {
    /**
     * Where the machine has its devices.
     *
     * @param gicd    GIC distributor, 64 KiB
     * @param gicr    GIC redistributors, 128 KiB for each vCPU
     * @param uart    UART
     * @param uartSpi its SPI
     * @param rtc     PL031
     * @param rtcSpi  its SPI
     * @param virtio  virtio devices
     * @param serial  what the console is; the UART is a PL011 but for {@link Serial#NS16550A}
     */
    public record Places(long gicd, long gicr, long uart, int uartSpi, long rtc, int rtcSpi, Virtio virtio,
            Serial serial) {
    }

    /**
     * The virtio devices, one after the other, and the memory they can reach.
     *
     * @param count   how many; with none there is no such memory either
     * @param base    registers of the first
     * @param stride  bytes from one to the next
     * @param spi     SPI of the first; the others follow
     * @param dmaBase memory shared with the devices
     * @param dmaSize its bytes; 0 when they reach all memory
     */
    public record Virtio(int count, long base, long stride, int spi, long dmaBase, long dmaSize) {
        boolean isRestricted() {
            return dmaSize != 0;
        }
    }

    /** Initial RAM disk: first address and first address after it. */
    public record Initrd(long start, long end) {
    }

    private static final long GICD_SIZE = 0x10000;
    private static final long GICR_SIZE = 0x20000;
    private static final long PAGE = 0x1000;
    private static final int SPI = 0;
    private static final int PPI = 1;
    private static final int LEVEL_HIGH = 4;
    private static final int GIC_PHANDLE = 1;
    private static final int CLOCK_PHANDLE = 2;
    private static final int CLOCK_HZ = 24_000_000;
    private static final int NS16550_HZ = 1_843_200;
    /** Of the PMU. */
    private static final int OVERFLOW_PPI = 7;
    private static final int[] TIMER_PPIS = {13, 14, 11, 10};
    private static final String CONFIG = "gunyah-vm-config";

    private final String vmName;
    private final int cpus;
    private final Ram ram;
    private final Places places;

    public GuestTree(String vmName, int cpus, Ram ram, Places places) {
        this.vmName = vmName;
        this.cpus = cpus;
        this.ram = ram;
        this.places = places;
    }

    /** Makes the tree of the whole machine. */
    public Fdt generate(String bootArguments, Optional<Initrd> initrd) {
        DtNode root = new DtNode("");
        root.cells("#address-cells", 2).cells("#size-cells", 2).cells("interrupt-parent", GIC_PHANDLE);
        root.strings("compatible", "gunyah,vm").strings("model", "Gunyah virtual machine");
        root.add("aliases").strings("serial0", "/" + uartName());
        chosen(root, bootArguments, initrd).strings("stdout-path", "/" + uartName());
        root.add(node("memory", ram.base())).strings("device_type", "memory")
                .cells64("reg", ram.base(), ram.size());
        cpus(root.add("cpus"));
        root.add("psci").strings("compatible", "arm,psci-1.0", "arm,psci-0.2").strings("method", "hvc");
        timer(root.add("timer"));
        root.add("pmu").strings("compatible", "arm,armv8-pmuv3").cells("interrupts", PPI, OVERFLOW_PPI, LEVEL_HIGH);
        gic(root.add(gicName()));
        clock(root.add("apb-pclk"));
        uart(root.add(uartName()));
        rtc(root.add(node("pl031", places.rtc)));
        virtio(root, GIC_PHANDLE);
        vmConfig(root, "/" + gicName());
        return new Fdt(root);
    }

    /**
     * Completes a tree the user supplied: command line, initrd and {@code gunyah-vm-config}, of which only the virtual
     * devices are kept, so that VMs can be joined.
     *
     * @throws BadInput when the tree cannot be used for this VM
     */
    public Fdt complete(String name, byte[] blob, String bootArguments, Optional<Initrd> initrd) {
        Fdt tree;
        try {
            tree = Fdt.parse(blob);
        } catch (Fdt.FdtException e) {
            throw new BadInput("%s is no usable device tree: %s".formatted(name, e.getMessage()), e);
        }
        DtNode root = tree.root();
        if (root.child("hypervisor").isPresent()) {
            throw new BadInput(name + " has a node /hypervisor, which the Resource Manager makes; remove it");
        }
        List<DtNode> gics = root.children().stream().filter(child -> child.isCompatible("arm,gic-v3")).toList();
        if (gics.isEmpty()) {
            throw new BadInput(name + " has no interrupt controller compatible with arm,gic-v3 below the root");
        }
        long described = root.child("cpus").stream().flatMap(node -> node.children().stream())
                .filter(cpu -> cpu.string("device_type").filter("cpu"::equals).isPresent()).count();
        if (described != cpus) {
            throw new BadInput("%s describes %d cpus, the VM has %d".formatted(name, described, cpus));
        }
        if (places.virtio.count > 0 && (root.cell("#address-cells").orElse(2) != 2
                || root.cell("#size-cells").orElse(1) != 2)) {
            throw new BadInput(name + " needs two address and two size cells in its root for virtio devices");
        }
        chosen(root, bootArguments, initrd);
        virtio(root, gics.getFirst().cell("phandle").orElseGet(() -> root.cell("interrupt-parent").orElse(0)));
        List<DtNode> joined = root.find("/" + CONFIG + "/vdevices").map(DtNode::children).orElse(List.of());
        root.child(CONFIG).ifPresent(root::remove);
        DtNode devices = vmConfig(root, "/" + gics.getFirst().name());
        joined.forEach(devices::add);
        return tree;
    }

    /**
     * Applies an overlay to a finished tree.
     *
     * @param name of the file, for messages
     * @throws BadInput when it cannot be applied, or leaves a tree that the Resource Manager refuses
     */
    static void overlay(Fdt tree, String name, byte[] blob) {
        try {
            DtOverlay.apply(Fdt.parse(blob), tree);
        } catch (Fdt.FdtException e) {
            throw new BadInput("%s cannot be applied: %s".formatted(name, e.getMessage()), e);
        }
        if (tree.root().child("hypervisor").isPresent()) {
            throw new BadInput(name + " adds a node /hypervisor, which the Resource Manager makes; remove it");
        }
    }

    private static String node(String name, long address) {
        return "%s@%x".formatted(name, address);
    }

    private String gicName() {
        return node("intc", places.gicd);
    }

    private static DtNode chosen(DtNode root, String bootArguments, Optional<Initrd> initrd) {
        DtNode chosen = root.childOrAdd("chosen");
        if (!bootArguments.isEmpty()) {
            chosen.strings("bootargs", bootArguments);
        }
        initrd.ifPresent(range -> chosen.cells64("linux,initrd-start", range.start)
                .cells64("linux,initrd-end", range.end));
        return chosen;
    }

    private void cpus(DtNode node) {
        node.cells("#address-cells", 1).cells("#size-cells", 0);
        for (int i = 0; i < cpus; i++) {
            node.add(node("cpu", i)).strings("device_type", "cpu").strings("compatible", "arm,armv8")
                    .cells("reg", i).strings("enable-method", "psci");
        }
    }

    private static void timer(DtNode node) {
        int[] interrupts = new int[TIMER_PPIS.length * 3];
        for (int i = 0; i < TIMER_PPIS.length; i++) {
            interrupts[i * 3] = PPI;
            interrupts[i * 3 + 1] = TIMER_PPIS[i];
            interrupts[i * 3 + 2] = LEVEL_HIGH;
        }
        node.strings("compatible", "arm,armv8-timer").cells("interrupts", interrupts).flag("always-on");
    }

    private void gic(DtNode node) {
        node.strings("compatible", "arm,gic-v3").cells("#address-cells", 0).cells("#interrupt-cells", 3)
                .flag("interrupt-controller")
                .cells("#redistributor-regions", 1)
                .cells64("reg", places.gicd, GICD_SIZE, places.gicr, GICR_SIZE * cpus)
                .cells("phandle", GIC_PHANDLE);
    }

    private static void clock(DtNode node) {
        node.strings("compatible", "fixed-clock").cells("#clock-cells", 0).cells("clock-frequency", CLOCK_HZ)
                .strings("clock-output-names", "clk24mhz").cells("phandle", CLOCK_PHANDLE);
    }

    private String uartName() {
        return node(places.serial == Serial.NS16550A ? "serial" : "pl011", places.uart);
    }

    private void uart(DtNode node) {
        if (places.serial == Serial.NS16550A) {
            node.strings("compatible", "ns16550a").cells64("reg", places.uart, Ns16550.SIZE)
                    .cells("interrupts", SPI, places.uartSpi, LEVEL_HIGH).cells("clock-frequency", NS16550_HZ);
            return;
        }
        node.strings("compatible", "arm,pl011", "arm,primecell").cells64("reg", places.uart, PAGE)
                .cells("interrupts", SPI, places.uartSpi, LEVEL_HIGH)
                .cells("clocks", CLOCK_PHANDLE, CLOCK_PHANDLE).strings("clock-names", "uartclk", "apb_pclk");
    }

    private void rtc(DtNode node) {
        node.strings("compatible", "arm,pl031", "arm,primecell").cells64("reg", places.rtc, PAGE)
                .cells("interrupts", SPI, places.rtcSpi, LEVEL_HIGH)
                .cells("clocks", CLOCK_PHANDLE).strings("clock-names", "apb_pclk");
    }

    /**
     * Devices that reach only the memory shared with them say so by dma-ranges: Linux then keeps a zone there for their
     * rings and copies through it (swiotlb) what lies elsewhere.
     */
    private void virtio(DtNode root, int gic) {
        Virtio virtio = places.virtio;
        if (virtio.count == 0) {
            return;
        }
        DtNode bus = root.add("virtio-bus").strings("compatible", "simple-bus")
                .cells("#address-cells", 2).cells("#size-cells", 2).set("ranges", new byte[0])
                .cells("interrupt-parent", gic);
        if (virtio.isRestricted()) {
            // the Resource Manager takes one memory node, and no other
            DtNode memory = root.children().stream().filter(child -> child.baseName().equals("memory")).findFirst()
                    .orElseThrow(() -> new BadInput("the device tree has no memory node below the root"));
            memory.set("reg", append(memory.bytes("reg").orElse(new byte[0]), virtio.dmaBase, virtio.dmaSize));
            bus.cells64("dma-ranges", virtio.dmaBase, virtio.dmaBase, virtio.dmaSize);
        }
        for (int i = 0; i < virtio.count; i++) {
            long base = virtio.base + i * virtio.stride;
            bus.add(node("virtio_mmio", base)).strings("compatible", "virtio,mmio")
                    .cells64("reg", base, virtio.stride).cells("interrupts", SPI, virtio.spi + i, LEVEL_HIGH)
                    .flag("dma-coherent");
        }
    }

    private static byte[] append(byte[] reg, long base, long size) {
        return ByteBuffer.allocate(reg.length + 16).put(reg).putLong(base).putLong(size).array();
    }

    private DtNode vmConfig(DtNode root, String gicPath) {
        DtNode config = root.add(CONFIG);
        config.strings("image-name", vmName).strings("os-type", "linux");
        config.add("memory").cells("#address-cells", 2).cells("#size-cells", 2).cells64("base-address", ram.base());
        config.add("interrupts").strings("config", gicPath);
        config.add("vcpus").strings("affinity", "proxy");
        DtNode devices = config.add("vdevices");
        devices.strings("generate", "/hypervisor");
        doorbell(devices, places.uartSpi);
        doorbell(devices, places.rtcSpi);
        for (int i = 0; i < places.virtio.count; i++) {
            doorbell(devices, places.virtio.spi + i);
        }
        return devices;
    }

    /** An interrupt line of the VMM: the guest's end of a doorbell the host rings; its label is the SPI. */
    private static void doorbell(DtNode devices, int spi) {
        String name = "bell-%x".formatted(spi);
        devices.add(name).strings("vdevice-type", "doorbell").strings("generate", "/hypervisor/" + name)
                .cells("label", spi).flag("peer-default").flag("source-can-clear")
                .cells("interrupts", SPI, spi, LEVEL_HIGH);
    }
}
