package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.rm.dt.GuestConfig.Affinity;
import gunyah.rm.dt.GuestConfig.CpuNode;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.Gic;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.Vcpus;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads a guest's device tree by the rules of the public Resource Manager (vm_config_parser.c). Throws
 * {@link RmFault}: ARGUMENT_INVALID for values, NORESOURCE for virtual devices that are not offered.
 */
public final class GuestConfigParser {
    private static final int MAX_DEPTH = 16;
    private static final int MAX_NAME = 80;
    private static final Pattern GUID =
            Pattern.compile("\\p{XDigit}{8}-\\p{XDigit}{4}-\\p{XDigit}{4}-\\p{XDigit}{4}-\\p{XDigit}{12}");
    private static final long DEFAULT_BASE = 0x2880_0000L;
    private static final long DEFAULT_DISTRIBUTOR = 0x0800_0000L;
    private static final long DEFAULT_REDISTRIBUTOR = 0x080a_0000L;
    private static final int SPI = 0;
    private static final int ESPI = 2;

    private final Map<String, DtNode> nodes = new LinkedHashMap<>();
    private final int maxVcpus;

    private GuestConfigParser(DtNode root, int maxVcpus) {
        this.maxVcpus = maxVcpus;
        collect("", root, 0);
    }

    /**
     * Reads a tree.
     *
     * @param root     its root node
     * @param maxVcpus most cpu nodes
     */
    public static GuestConfig parse(DtNode root, int maxVcpus) {
        return new GuestConfigParser(root, maxVcpus).config();
    }

    private void collect(String path, DtNode node, int depth) {
        check(depth <= MAX_DEPTH);
        nodes.put(path.isEmpty() ? "/" : path, node);
        for (DtNode child : node.children()) {
            collect(path + "/" + child.name(), child, depth + 1);
        }
    }

    private GuestConfig config() {
        checkMemoryNodes();
        DtNode config = Optional.ofNullable(nodes.get("/gunyah-vm-config"))
                .or(() -> Optional.ofNullable(nodes.get("/qcom,vm-config"))).orElseThrow(GuestConfigParser::invalid);
        String name = text(config, "image-name").orElseThrow(GuestConfigParser::invalid);
        only(config, "vm-type", "aarch64-guest");
        only(config, "os-type", "linux");
        Optional<String> guid = config.string("vm-guid");
        check(guid.isEmpty() || GUID.matcher(guid.get()).matches());
        List<String> attributes = config.strings("vm-attrs");
        boolean crashFatal = attributes.contains("crash-fatal");
        check(!crashFatal);
        Vcpus vcpus = vcpus(config.child("vcpus"));
        return new GuestConfig(name, text(config, "vm-uri"), guid, baseAddress(config.child("memory")),
                attributes.contains("no-shutdown"), attributes.contains("no-reset"), psci(), vcpus,
                gic(config.child("interrupts")), vdevices());
    }

    // A second node that claims to be memory would be memory the Resource Manager never handed out.
    private void checkMemoryNodes() {
        List<String> paths = nodes.entrySet().stream()
                .filter(e -> e.getValue().string("device_type").filter("memory"::equals).isPresent())
                .map(Map.Entry::getKey).toList();
        check(paths.size() <= 1 && paths.stream().allMatch(p -> p.matches("/memory(@[^/]*)?")));
    }

    private static Optional<String> text(DtNode node, String property) {
        Optional<String> text = node.string(property);
        check(text.isEmpty() || text.get().length() < MAX_NAME);
        return text;
    }

    private static void only(DtNode node, String property, String legal) {
        check(node.string(property).map(legal::equals).orElse(true));
    }

    private static long baseAddress(Optional<DtNode> memory) {
        Optional<byte[]> bytes = memory.flatMap(m -> m.bytes("base-address"));
        if (bytes.isEmpty()) {
            return DEFAULT_BASE;
        }
        int[] cells = memory.get().cells("base-address").orElseThrow(GuestConfigParser::invalid);
        check(cells.length == 1 || cells.length == 2);
        long base = DtNode.number(cells, 0, cells.length);
        check((base & 0xfff) == 0 && base >= 0);
        return base + 0x1f_ffff & -0x20_0000L;
    }

    private boolean psci() {
        return nodes.values().stream().anyMatch(n -> n.isCompatible("arm,psci-0.2") || n.isCompatible("arm,psci-1.0"))
                || cpuNodes("/cpus").stream().anyMatch(n -> n.has("cpu-idle-states"));
    }

    private List<DtNode> cpuNodes(String path) {
        DtNode cpus = nodes.get(path);
        return cpus == null ? List.of() : cpus.children().stream()
                .filter(n -> n.string("device_type").filter("cpu"::equals).isPresent()).toList();
    }

    private Vcpus vcpus(Optional<DtNode> node) {
        Affinity affinity = switch (node.flatMap(n -> n.string("affinity")).orElse("static")) {
            case "static" -> Affinity.STATIC;
            case "sticky" -> Affinity.STICKY;
            case "pinned" -> Affinity.PINNED;
            case "proxy" -> Affinity.PROXY;
            default -> throw invalid();
        };
        String path = node.flatMap(n -> n.string("config")).orElse("/cpus");
        List<CpuNode> cpus = cpus(path);
        if (affinity == Affinity.PROXY) {
            return new Vcpus(affinity, cpus, List.of(), 0, 0);
        }
        int[] map = node.flatMap(n -> n.cells("affinity-map")).orElseThrow(GuestConfigParser::invalid);
        int priority = node.flatMap(n -> n.cell("sched-priority")).orElse(0);
        int timeslice = node.flatMap(n -> n.cell("sched-timeslice")).orElse(0);
        check(map.length == cpus.size() && priority < 0);
        check(timeslice >= 100 && timeslice <= 100_000);
        return new Vcpus(affinity, cpus, Arrays.stream(map).boxed().toList(), priority, timeslice);
    }

    private List<CpuNode> cpus(String path) {
        List<DtNode> found = cpuNodes(path);
        check(!found.isEmpty() && found.size() <= maxVcpus);
        boolean anyStatus = found.stream().anyMatch(n -> n.has("status"));
        Optional<String> inherited = nodes.get(path).string("enable-method");
        List<CpuNode> cpus = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            DtNode cpu = found.get(i);
            boolean boot = anyStatus ? cpu.string("status").orElse("okay").equals("okay") : i == 0;
            String method = cpu.string("enable-method").or(() -> inherited).orElse("");
            check(boot || method.equals("psci") || method.equals("qcom,gunyah-hvc"));
            cpus.add(new CpuNode(path + "/" + cpu.name(), boot));
        }
        check(cpus.stream().anyMatch(CpuNode::boot));
        return cpus;
    }

    private Gic gic(Optional<DtNode> interrupts) {
        String path = interrupts.flatMap(this::gicPath)
                .or(() -> nodes.get("/").cell("interrupt-parent").flatMap(this::byPhandle))
                .orElseThrow(GuestConfigParser::invalid);
        DtNode gic = nodes.get(path);
        check(gic != null && gic.isCompatible("arm,gic-v3") && gic.has("interrupt-controller"));
        check(gic.cell("#interrupt-cells").orElse(0) == 3 && gic.cell("#redistributor-regions").orElse(1) == 1);
        long stride = gic.cells("redistributor-stride").map(c -> DtNode.number(c, 0, Math.min(c.length, 2)))
                .orElse(Gic.REDISTRIBUTOR_SIZE);
        check(stride >= Gic.REDISTRIBUTOR_SIZE && (stride & 0xffff) == 0);
        int phandle = gic.cell("phandle").orElse(0);
        Optional<int[]> reg = gic.cells("reg");
        if (reg.isEmpty()) {
            return new Gic(path, DEFAULT_DISTRIBUTOR, DEFAULT_REDISTRIBUTOR, stride, phandle, false);
        }
        DtNode parent = nodes.get(path.lastIndexOf('/') == 0 ? "/" : path.substring(0, path.lastIndexOf('/')));
        int address = parent.cell("#address-cells").orElse(2);
        int size = parent.cell("#size-cells").orElse(1);
        check(address >= 1 && address <= 2 && size >= 1 && size <= 2);
        check(reg.get().length >= 2 * (address + size));
        return new Gic(path, DtNode.number(reg.get(), 0, address),
                DtNode.number(reg.get(), address + size, address), stride, phandle, true);
    }

    // Both known VMMs put a phandle where the documentation wants a path.
    private Optional<String> gicPath(DtNode interrupts) {
        Optional<String> path = interrupts.string("config").filter(p -> p.startsWith("/"));
        return path.or(() -> interrupts.cell("config").flatMap(this::byPhandle));
    }

    private Optional<String> byPhandle(int phandle) {
        return nodes.entrySet().stream()
                .filter(e -> e.getValue().cell("phandle").or(() -> e.getValue().cell("linux,phandle"))
                        .filter(p -> p == phandle).isPresent())
                .map(Map.Entry::getKey).findFirst();
    }

    private List<Vdevice> vdevices() {
        List<Vdevice> devices = new ArrayList<>();
        nodes.forEach((path, node) -> node.string("vdevice-type")
                .ifPresent(type -> devices.add(vdevice(type, path, node))));
        check(devices.stream().filter(RpcDevice.class::isInstance).count() <= 1);
        return devices;
    }

    private static Vdevice vdevice(String type, String path, DtNode node) {
        int label = node.cell("qcom,label").or(() -> node.cell("label")).orElse(0);
        List<String> push = node.strings("push-compatible");
        check(push.size() <= 6);
        String generate = node.string("generate").orElse("/hypervisor/" + path.substring(path.lastIndexOf('/') + 1));
        int[] virqs = virqs(node);
        return switch (type) {
            case "rm-rpc" -> {
                check(push.size() <= 3 && (virqs.length == 0 || virqs.length == 2));
                yield new RpcDevice(generate, push, label, node.cell("message-size").orElse(Fragmenter.PACKET_SIZE),
                        node.cell("queue-depth").orElse(8), virqs.length == 0 ? 0 : virqs[0],
                        virqs.length == 0 ? 0 : virqs[1]);
            }
            case "doorbell", "doorbell-source" -> {
                offerOwnerOnly(node);
                check(virqs.length <= 1);
                yield new DoorbellDevice(generate, push, label, type.equals("doorbell-source"),
                        node.has("source-can-clear"), virqs.length == 0 ? 0 : virqs[0]);
            }
            default -> throw new RmFault(RmError.NORESOURCE);
        };
    }

    private static void offerOwnerOnly(DtNode node) {
        if (node.has("peer")) {
            throw new RmFault(RmError.NORESOURCE);
        }
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
