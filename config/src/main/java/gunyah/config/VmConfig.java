package gunyah.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * One guest as the user asks for it. Files are read by the loader, not here.
 *
 * @param name        for people, unique in a system
 * @param cpus        vCPUs, 1..64
 * @param memoryBytes RAM at 0x40000000, a multiple of 2 MiB, at least 4 MiB
 * @param kernel      arm64 Image (plain or gzip), ELF64, or raw bytes; absent when firmware is given
 * @param firmware    raw firmware (U-Boot), placed at RAM base + 0x200000, DTB at the start of RAM
 * @param initrd      initial RAM disk
 * @param commandLine kernel command line, appended to the generated one's {@code console=} part when not empty
 * @param tree        device tree
 * @param memory      how it gets its RAM
 * @param reboots     whether it is started again when it asks for a reset; else it ends
 * @param devices     virtio devices
 */
public record VmConfig(String name, int cpus, long memoryBytes, Optional<Path> kernel, Optional<Path> firmware,
        Optional<Path> initrd, String commandLine, TreeConfig tree, MemoryConfig memory, boolean reboots,
        DeviceConfig devices) {
    public VmConfig {
        if (name.isEmpty() || name.length() > 79) {
            throw new BadInput("a VM's name must have 1 to 79 characters");
        }
        if (cpus < 1 || cpus > 64) {
            throw new BadInput("cpus must be 1 to 64, not " + cpus);
        }
        if (memoryBytes < 4L << 20 || memoryBytes % (2L << 20) != 0 || memoryBytes > 32L << 30) {
            throw new BadInput("memory must be a multiple of 2 MiB from 4 MiB to 32 GiB, not " + memoryBytes
                    + " bytes");
        }
        if (devices.balloon().isPresent() && devices.balloon().getAsLong() >= memoryBytes) {
            throw new BadInput("the balloon is to take %d bytes, but the VM has only %d".formatted(
                    devices.balloon().getAsLong(), memoryBytes));
        }
        if (kernel.isPresent() == firmware.isPresent()) {
            throw new BadInput("give exactly one of a kernel and a firmware");
        }
    }

    /** A guest without virtio devices, its RAM in pages when touched; started again when it asks for a reset. */
    public VmConfig(String name, int cpus, long memoryBytes, Optional<Path> kernel, Optional<Path> firmware,
            Optional<Path> initrd, String commandLine, Optional<Path> dtb, boolean protectedMemory) {
        this(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine,
                new TreeConfig(dtb, List.of(), Optional.empty()), new MemoryConfig(protectedMemory, false, false), true,
                DeviceConfig.NONE);
    }

    /** {@return the same guest with these devices} */
    public VmConfig with(DeviceConfig other) {
        return new VmConfig(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, tree, memory, reboots,
                other);
    }

    /** {@return the same guest with this device tree} */
    public VmConfig with(TreeConfig other) {
        return new VmConfig(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, other, memory, reboots,
                devices);
    }

    /** {@return the same guest with its RAM this way} */
    public VmConfig with(MemoryConfig other) {
        return new VmConfig(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, tree, other, reboots,
                devices);
    }

    /** {@return the same guest, which ends when it asks for a reset} */
    public VmConfig withoutReboot() {
        return new VmConfig(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, tree, memory, false,
                devices);
    }
}
