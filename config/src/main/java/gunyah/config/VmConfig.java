package gunyah.config;

import java.nio.file.Path;
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
 * @param dtb         device tree blob to use instead of the generated one
 * @param protectedMemory true: RAM is lent (the host cannot read it); false: shared
 * @param devices     virtio devices
 */
public record VmConfig(String name, int cpus, long memoryBytes, Optional<Path> kernel, Optional<Path> firmware,
        Optional<Path> initrd, String commandLine, Optional<Path> dtb, boolean protectedMemory, DeviceConfig devices) {
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
        if (kernel.isPresent() == firmware.isPresent()) {
            throw new BadInput("give exactly one of a kernel and a firmware");
        }
    }

    /** A guest without virtio devices. */
    public VmConfig(String name, int cpus, long memoryBytes, Optional<Path> kernel, Optional<Path> firmware,
            Optional<Path> initrd, String commandLine, Optional<Path> dtb, boolean protectedMemory) {
        this(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, dtb, protectedMemory, DeviceConfig.NONE);
    }

    /** {@return the same guest with these devices} */
    public VmConfig with(DeviceConfig other) {
        return new VmConfig(name, cpus, memoryBytes, kernel, firmware, initrd, commandLine, dtb, protectedMemory,
                other);
    }
}
