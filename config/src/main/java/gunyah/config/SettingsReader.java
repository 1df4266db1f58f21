package gunyah.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigResolveOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Layers of settings, strongest first: options, a HOCON file, what a named guest brings along, {@code defaults.conf}.
 * Every value remembers where it came from, so a wrong one is reported with its file and line. Not thread safe.
 */
public final class SettingsReader {
    private static final Set<String> KEYS = Set.of("machine.pcpus", "machine.memory", "machine.timeslice",
            "machine.engine", "machine.cpu", "machine.jit-log", "machine.code-cache", "vm.name", "vm.count",
            "vm.cpus", "vm.memory", "vm.kernel", "vm.firmware", "vm.initrd", "vm.dtb", "vm.append",
            "vm.primary-kernel", "vm.protected", "vm.disks", "vm.nets", "vm.rng",
            "vm.serial", "vm.shares", "vm.vsock", "vm.balloon", "vm.memory-backing", "vm.huge-pages",
            "vm.dtb-overlays", "vm.dump-dtb", "vm.reboot", "console", "timeout", "stats", "trace");
    /** What {@code vm.primary-kernel} leaves no room for, unless it is a default. */
    private static final List<String> GUEST_ONLY = List.of("vm.protected", "vm.memory-backing", "vm.huge-pages",
            "vm.dtb-overlays", "vm.dump-dtb");
    private static final int MAX_VMS = 1000;
    /** What the Resource Manager, the primary VM and page tables need beside the VMs' RAM. */
    private static final long OWN_MEMORY = 512L << 20;
    /** What the Resource Manager alone takes of a machine without our host. */
    private static final long MANAGER_MEMORY = 8L << 20;
    private static final long BLOCK = 2L << 20;

    private Config settings = ConfigFactory.empty();

    /**
     * Adds a weaker layer with one key that takes a list, such as {@code vm.disks}.
     *
     * @param origin how messages call the place
     */
    public SettingsReader list(String origin, String key, List<String> values) {
        return layer(ConfigFactory.empty().withValue(key, ConfigValueFactory.fromIterable(values, origin)));
    }

    /**
     * Adds a weaker layer of values given in code.
     *
     * @param origin how messages call the place, such as {@code option --mem}
     * @param values by key of {@code defaults.conf}
     */
    public SettingsReader values(String origin, Map<String, String> values) {
        Config layer = ConfigFactory.empty();
        for (Map.Entry<String, String> value : values.entrySet()) {
            layer = layer.withValue(value.getKey(), ConfigValueFactory.fromAnyRef(value.getValue(), origin));
        }
        return layer(layer);
    }

    /**
     * Adds a weaker layer from a HOCON file.
     *
     * @throws BadInput when it cannot be read or has a key that does not exist
     */
    public SettingsReader file(Path file) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new BadInput("config file %s cannot be read: does it exist?".formatted(file));
        }
        try {
            Config layer = ConfigFactory.parseFile(file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false))
                    .resolve(ConfigResolveOptions.noSystem());
            return layer(layer);
        } catch (ConfigException e) {
            throw new BadInput("config file " + e.getMessage(), e);
        }
    }

    private SettingsReader layer(Config layer) {
        for (Map.Entry<String, ConfigValue> entry : layer.entrySet()) {
            if (!KEYS.contains(entry.getKey())) {
                throw new BadInput("%s: unknown key '%s': known are %s".formatted(
                        place(entry.getValue().origin()), entry.getKey(),
                        String.join(", ", KEYS.stream().sorted().toList())));
            }
        }
        settings = settings.withFallback(layer);
        return this;
    }

    /** {@return whether any layer so far names something to boot} */
    public boolean namesGuest() {
        return settings.hasPath("vm.kernel") || settings.hasPath("vm.firmware") || isPrimary();
    }

    private boolean isPrimary() {
        return settings.hasPath("vm.primary-kernel");
    }

    /**
     * Puts the layers together.
     *
     * @throws BadInput for a value that is wrong, with the place it came from
     */
    public RunSettings read() {
        layer(ConfigFactory.parseResources(SettingsReader.class.getClassLoader(), "gunyah/config/defaults.conf"));
        int count = number("vm.count", 1, MAX_VMS).orElseThrow();
        if (isPrimary() && count > 1) {
            throw new BadInput(place("vm.count") + ": there is one primary VM; start other VMs from inside it");
        }
        String name = text("vm.name").orElseThrow();
        if (settings.hasPath("vm.dump-dtb") && count > 1) {
            throw new BadInput(place("vm.dump-dtb") + ": a device tree is written for one VM, not for " + count);
        }
        List<VmConfig> vms = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            vms.add(vm(count == 1 ? name : name + "-" + i, i - 1, count));
        }
        ConsoleTarget console = parsed("console", ConsoleTarget::parse).map(this::relative)
                .orElseGet(() -> count == 1 ? new ConsoleTarget.Stdio()
                        : new ConsoleTarget.ToFile(Path.of(name + ".log")));
        return new RunSettings(machine(vms), vms, console, parsed("timeout", Quantity::time).map(this::positive),
                yesOrNo("stats"), path("trace"));
    }

    private VmConfig vm(String name, int index, int count) {
        Optional<Path> kernel = path("vm.kernel");
        Optional<Path> firmware = path("vm.firmware");
        if (isPrimary()) {
            if (kernel.isPresent() || firmware.isPresent()) {
                throw new BadInput("a kernel for the primary VM and one for a guest are both given: give one of them");
            }
            for (String key : List.of("vm.disks", "vm.nets", "vm.shares", "vm.vsock", "vm.balloon")) {
                if (settings.hasPath(key)) {
                    throw new BadInput(place(key) + ": virtio devices are for guests; the primary VM has none");
                }
            }
            for (String key : GUEST_ONLY) {
                if (settings.hasPath(key) && settings.getValue(key).origin().resource() == null) {
                    throw new BadInput(place(key) + ": that is for guests; the primary VM owns its memory, and the Resource "
                            + "Manager makes its device tree");
                }
            }
            kernel = path("vm.primary-kernel");
        }
        if (kernel.isPresent() && firmware.isPresent()) {
            throw new BadInput("kernel and firmware are both given: give one of them");
        }
        return new VmConfig(name, number("vm.cpus", 1, 64).orElseThrow(), parsed("vm.memory", Quantity::bytes)
                .orElseThrow(), kernel, firmware, path("vm.initrd"), text("vm.append").orElseThrow(),
                new TreeConfig(path("vm.dtb"), paths("vm.dtb-overlays"), path("vm.dump-dtb")), memory(),
                yesOrNo("vm.reboot"), devices(index, count));
    }

    private MemoryConfig memory() {
        return new MemoryConfig(yesOrNo("vm.protected"),
                parsed("vm.memory-backing", MemoryConfig::preallocated).orElseThrow(), yesOrNo("vm.huge-pages"));
    }

    private boolean yesOrNo(String key) {
        return parsed(key, SettingsReader::parseYesOrNo).orElseThrow();
    }

    private List<Path> paths(String key) {
        return parsedList(key, texts -> texts.stream().map(Path::of).toList()).stream()
                .map(file -> besideFile(key, file)).toList();
    }

    private DeviceConfig devices(int index, int count) {
        return new DeviceConfig(parsedList("vm.disks", texts -> texts.stream().map(DiskConfig::parse).toList()).stream()
                .map(disk -> new DiskConfig(besideFile("vm.disks", disk.file()), disk.readOnly(), disk.format()))
                .toList(), parsedList("vm.nets", NetConfig::parseAll),
                yesOrNo("vm.rng"),
                parsed("vm.serial", Serial::parse).orElseThrow(),
                paths("vm.shares"), vsock(index, count),
                parsed("vm.balloon", Quantity::bytes).stream().mapToLong(Long::longValue).findFirst());
    }

    private Optional<VsockConfig> vsock(int index, int count) {
        Path usual = Path.of(text("vm.name").orElseThrow() + ".vsock");
        return parsed("vm.vsock", text -> {
            VsockConfig vsock = VsockConfig.parse(text, usual).forVm(index, count);
            return new VsockConfig(vsock.cid(), besideFile("vm.vsock", vsock.socket()));
        });
    }

    /** A list, or one value; an absent key is an empty list. */
    private <T> List<T> parsedList(String key, Function<List<String>, List<T>> parser) {
        if (!settings.hasPath(key)) {
            return List.of();
        }
        try {
            return parser.apply(settings.getValue(key).valueType() == ConfigValueType.LIST
                    ? settings.getStringList(key) : List.of(settings.getString(key)));
        } catch (ConfigException | BadInput e) {
            throw new BadInput(place(key) + ": " + e.getMessage(), e);
        }
    }

    private MachineConfig machine(List<VmConfig> vms) {
        long needed = vms.stream().mapToLong(VmConfig::memoryBytes).sum() + (isPrimary() ? MANAGER_MEMORY : OWN_MEMORY);
        long memory = parsed("machine.memory", Quantity::bytes).orElse((needed + BLOCK - 1) / BLOCK * BLOCK);
        if (memory < needed) {
            throw new BadInput(("the machine has %d MiB, its VMs need %d MiB with what the system itself takes: raise "
                    + "machine.memory or start fewer or smaller VMs").formatted(memory >> 20, needed >> 20));
        }
        int pcpus = number("machine.pcpus", 1, 64).orElse(isPrimary() ? vms.getFirst().cpus()
                : Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 64));
        if (isPrimary() && pcpus != vms.getFirst().cpus()) {
            throw new BadInput("the primary VM has one vCPU for each physical CPU: give one number or the same twice");
        }
        return new MachineConfig(pcpus, memory, parsed("machine.timeslice", Quantity::time).orElseThrow().toNanos(),
                parsed("machine.engine", Engine::of).orElseThrow(),
                parsed("machine.cpu", SettingsReader::cpu).orElseThrow(), isPrimary(), path("machine.jit-log"),
                path("machine.code-cache"));
    }

    private static CpuModel cpu(String text) {
        return switch (text) {
            case "base" -> CpuModel.BASE;
            case "default" -> CpuModel.DEFAULT;
            case "max" -> CpuModel.MAX;
            default -> throw new BadInput("must be base, default or max, not '%s'".formatted(text));
        };
    }

    private Duration positive(Duration timeout) {
        if (timeout.isZero()) {
            throw new BadInput(place("timeout") + ": a timeout must be longer than nothing");
        }
        return timeout;
    }

    private ConsoleTarget relative(ConsoleTarget target) {
        return switch (target) {
            case ConsoleTarget.ToFile file -> new ConsoleTarget.ToFile(besideFile("console", file.path()));
            case ConsoleTarget.Stdio stdio -> stdio;
            case ConsoleTarget.Nowhere nowhere -> nowhere;
        };
    }

    private Optional<Path> path(String key) {
        return text(key).map(text -> besideFile(key, Path.of(text)));
    }

    private Path besideFile(String key, Path path) {
        String file = settings.getValue(key).origin().filename();
        return file == null ? path : Path.of(file).toAbsolutePath().resolveSibling(path);
    }

    private Optional<Integer> number(String key, int least, int most) {
        return parsed(key, text -> {
            if (text.matches("[0-9]{1,9}")) {
                int value = Integer.parseInt(text);
                if (value >= least && value <= most) {
                    return value;
                }
            }
            throw new BadInput("must be a number from %d to %d, not '%s'".formatted(least, most, text));
        });
    }

    private static boolean parseYesOrNo(String text) {
        return switch (text) {
            case "true", "yes", "on" -> true;
            case "false", "no", "off" -> false;
            default -> throw new BadInput("must be true or false, not '%s'".formatted(text));
        };
    }

    private <T> Optional<T> parsed(String key, Function<String, T> parser) {
        return text(key).map(text -> {
            try {
                return parser.apply(text);
            } catch (BadInput e) {
                throw new BadInput(place(key) + ": " + e.getMessage(), e);
            }
        });
    }

    private Optional<String> text(String key) {
        if (!settings.hasPath(key)) {
            return Optional.empty();
        }
        ConfigValueType type = settings.getValue(key).valueType();
        if (type == ConfigValueType.OBJECT || type == ConfigValueType.LIST) {
            throw new BadInput(place(key) + ": one value is expected, not a " + type.name().toLowerCase(Locale.ROOT));
        }
        return Optional.of(settings.getString(key));
    }

    private String place(String key) {
        ConfigOrigin origin = settings.getValue(key).origin();
        return origin.filename() == null ? place(origin) : place(origin) + ", " + key;
    }

    private static String place(ConfigOrigin origin) {
        if (origin.filename() != null) {
            return origin.filename() + ":" + origin.lineNumber();
        }
        return origin.description();
    }
}
