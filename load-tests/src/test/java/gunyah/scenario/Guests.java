package gunyah.scenario;

import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Where the fetched guests are, and VMs and machines made of them. Absent files skip the test with the reason. */
final class Guests {
    static final String KERNEL_6_1 = "vmlinuz-6.1";
    static final String KERNEL_6_12 = "vmlinuz-6.12";
    static final String KERNEL_GENERIC = "vmlinuz-generic";
    static final String KERNEL_RT = "vmlinuz-rt";
    static final String U_BOOT = "u-boot.bin";
    static final long MIB = 1L << 20;

    private Guests() {
    }

    static Path file(String name) {
        Path file = Path.of(System.getProperty("gunyah.root", ".")).resolve(".guests").resolve(name);
        Assumptions.assumeTrue(Files.isReadable(file), file + " is absent: run ./gunyah fetch debian --kernel all");
        return file;
    }

    static VmConfig linux(String name, String kernel, int cpus, String commandLine) {
        return new VmConfig(name, cpus, 512 * MIB, Optional.of(file(kernel)), Optional.empty(),
                Optional.of(file(kernel.replace("vmlinuz", "initramfs") + ".cpio")), commandLine, Optional.empty(), true);
    }

    static VmConfig firmware(String name) {
        return new VmConfig(name, 1, 256 * MIB, Optional.empty(), Optional.of(file(U_BOOT)), Optional.empty(), "",
                Optional.empty(), true);
    }

    /** {@return a machine with room for {@code vms} VMs of 512 MiB, with as many CPUs as the host} */
    static MachineConfig machine(int vms) {
        return new MachineConfig(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 64),
                (512L * vms + 512) * MIB, 5_000_000);
    }
}
