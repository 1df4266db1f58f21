package gunyah.cli;

import gunyah.config.BadInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Guests that {@code run} knows by name, with the settings each brings along (keys of {@code defaults.conf}). */
enum NamedGuest {
    BUILTIN("builtin", "", Map.of("vm.cpus", "2", "vm.memory", "256 MiB")),
    DEBIAN("debian", "6.1"),
    DEBIAN_6_12("debian-6.12", "6.12"),
    /** The kernel of Debian's arm64 installations: 6.1 with all drivers. */
    DEBIAN_GENERIC("debian-generic", "generic"),
    /** 6.1 with PREEMPT_RT. */
    DEBIAN_RT("debian-rt", "rt"),
    U_BOOT("u-boot", "", Map.of("vm.memory", "256 MiB"));

    static final String U_BOOT_IMAGE = "u-boot.bin";
    private static final String BUILTIN_RESOURCE = "/gunyah/guest/builtin.img";

    private final String label;
    private final String kernel;
    private final Map<String, String> settings;

    /** A Debian; crypto self-tests are more than half of a boot (docs/performance.md), {@code --append ""} runs them. */
    NamedGuest(String label, String kernel) {
        this(label, kernel, Map.of("vm.append", "cryptomgr.notests"));
    }

    NamedGuest(String label, String kernel, Map<String, String> settings) {
        this.label = label;
        this.kernel = kernel;
        this.settings = settings;
    }

    static NamedGuest of(String label) {
        return Arrays.stream(values()).filter(guest -> guest.label.equals(label)).findFirst()
                .orElseThrow(() -> new BadInput("there is no guest named '%s': known are %s; other guests start with "
                        .formatted(label, Arrays.stream(values()).map(g -> g.label).collect(Collectors.joining(", ")))
                        + "--kernel FILE or --firmware FILE"));
    }

    String label() {
        return label;
    }

    /** {@return the Debian guests, in the order of their names here} */
    static List<NamedGuest> debians() {
        return Arrays.stream(values()).filter(guest -> !guest.kernel.isEmpty()).toList();
    }

    /** {@return what {@code fetch --kernel} and file names call the kernel; empty for guests without one} */
    String kernel() {
        return kernel;
    }

    String kernelFile() {
        return "vmlinuz-" + kernel;
    }

    String initramfsFile() {
        return "initramfs-" + kernel + ".cpio";
    }

    boolean isPresent(Path guests) {
        return files(guests).values().stream().allMatch(file -> Files.isReadable(Path.of(file)));
    }

    /** {@return settings, file names included} The files may have to be fetched first. */
    Map<String, String> settings(Path guests) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("vm.name", label);
        all.putAll(files(guests));
        return all;
    }

    private Map<String, String> files(Path guests) {
        return switch (this) {
            case BUILTIN -> Map.of();
            case U_BOOT -> Map.of("vm.firmware", guests.resolve(U_BOOT_IMAGE).toString());
            case DEBIAN, DEBIAN_6_12, DEBIAN_GENERIC, DEBIAN_RT -> Map.of(
                    "vm.kernel", guests.resolve(kernelFile()).toString(),
                    "vm.initrd", guests.resolve(initramfsFile()).toString());
        };
    }

    /** Writes the built-in guest's image to a new temporary file. {@return the file; the caller deletes it} */
    static Path extractBuiltin() {
        try (InputStream image = NamedGuest.class.getResourceAsStream(BUILTIN_RESOURCE)) {
            Path file = Files.createTempFile("gunyah-builtin-", ".img");
            Files.copy(image, file, StandardCopyOption.REPLACE_EXISTING);
            return file;
        } catch (IOException e) {
            throw new BadInput("cannot write the built-in guest to the temporary directory: " + e.getMessage(), e);
        }
    }
}
