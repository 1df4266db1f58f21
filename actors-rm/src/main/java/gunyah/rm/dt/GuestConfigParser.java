package gunyah.rm.dt;

import gunyah.config.fdt.DtNode;
import gunyah.rm.dt.GuestConfig.Affinity;
import gunyah.rm.dt.GuestConfig.CpuNode;
import gunyah.rm.dt.GuestConfig.Gic;
import gunyah.rm.dt.GuestConfig.Memory;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.Vcpus;
import gunyah.rm.dt.GuestConfig.Vdevice;
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
    private static final long IPA_END = 1L << 36;
    private static final long DEFAULT_SIZE = 0x0800_0000L;
    private static final long DEFAULT_FIRMWARE_SIZE = 4L << 20;

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
        // Of these a VM that nobody vouches for could bring the machine down or take its devices.
        check(!attributes.contains("crash-fatal") && !config.has("iomemory-ranges") && !config.has("gic-irq-ranges"));
        Vcpus vcpus = vcpus(config.child("vcpus"));
        return new GuestConfig(name, text(config, "vm-uri"), guid, memory(config.child("memory")),
                attributes.contains("no-shutdown"), attributes.contains("no-reset"), config.has("qcom,sensitive"),
                number(config, "kernel-entry-offset").orElse(0L), psci(), vcpus, gic(config.child("interrupts")),
                vdevices(name, text(config, "vm-uri"), guid));
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

    private static Memory memory(Optional<DtNode> node) {
        check(node.isEmpty() || !node.get().has("is-direct"));
        long given = node.flatMap(n -> number(n, "base-address")).orElse(DEFAULT_BASE);
        check((given & 0xfff) == 0);
        long base = given + 0x1f_ffff & -0x20_0000L;
        boolean placed = node.filter(n -> n.has("base-address")).isPresent();
        Optional<Long> firmware = node.flatMap(n -> number(n, "firmware-address"));
        long firmwareSize = node.flatMap(n -> number(n, "firmware-size-max")).orElse(DEFAULT_FIRMWARE_SIZE);
        long end = firmware.filter(at -> at >= base).orElse(IPA_END);
        long sizeMax = node.flatMap(n -> number(n, "size-max")).orElse(placed ? end - base : DEFAULT_SIZE);
        check(base < IPA_END && sizeMax > 0 && sizeMax <= IPA_END - base);
        firmware.ifPresent(at -> check((at & 0xfff) == 0 && firmwareSize > 0 && at <= IPA_END - firmwareSize
                && (at + firmwareSize <= base || at >= base + sizeMax)));
        return new Memory(base, node.flatMap(n -> number(n, "size-min")).orElse(0L), sizeMax, firmware, firmwareSize);
    }

    private static Optional<Long> number(DtNode node, String property) {
        if (!node.has(property)) {
            return Optional.empty();
        }
        int[] cells = node.cells(property).orElseThrow(GuestConfigParser::invalid);
        check(cells.length == 1 || cells.length == 2);
        long value = DtNode.number(cells, 0, cells.length);
        check(value >= 0);
        return Optional.of(value);
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

    private List<Vdevice> vdevices(String name, Optional<String> uri, Optional<String> guid) {
        List<Vdevice> devices = new ArrayList<>();
        nodes.forEach((path, node) -> node.string("vdevice-type")
                .ifPresent(type -> devices.add(VdeviceParser.parse(type, path, node))));
        check(devices.stream().filter(RpcDevice.class::isInstance).count() <= 1);
        for (Vdevice device : devices) {
            String peer = device.head().peer().text();
            check(switch (device.head().peer().kind()) {
                case OWNER -> true;
                case NAME -> !peer.equals(name);
                case URI -> uri.filter(peer::equals).isEmpty();
                case GUID -> guid.filter(peer::equalsIgnoreCase).isEmpty();
            });
        }
        return devices;
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
