package gunyah.scenario;

import gunyah.config.CpuModel;
import gunyah.config.DeviceConfig;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * The same Debian kernel and initramfs with one vCPU and 512 MiB, once on our machine and once on QEMU (TCG), and the
 * options that choose them.
 */
final class DebianPair {
    private static final long MIB = 1L << 20;
    private static final String APPEND = "cryptomgr.notests";

    @Option(names = "--kernel", paramLabel = "FILE", description = "default .guests/vmlinuz-6.1")
    private Path kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "default .guests/initramfs-6.1.cpio")
    private Path initrd;

    @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = "auto", converter = EngineName.class,
            description = "of our machine (default auto)")
    private String engine;

    @Option(names = "--jit-log", paramLabel = "FILE", description = "write there what our translator does")
    private Path jitLog;

    /** {@return a file that is fetched or made for guests} */
    static Path fetched(String name) {
        return Path.of(System.getProperty("gunyah.root", ".")).resolve(".guests").resolve(name);
    }

    private Path kernel() {
        return kernel == null ? fetched("vmlinuz-6.1") : kernel;
    }

    private Path initrd() {
        return initrd == null ? fetched("initramfs-6.1.cpio") : initrd;
    }

    String engine() {
        return engine;
    }

    /** Starts our machine, with 1 GiB and as many CPUs as this computer has. */
    GunyahSystem start() {
        return GunyahSystem.start(new MachineConfig(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 64),
                1024 * MIB, 5_000_000, Engine.of(engine), CpuModel.DEFAULT, false, Optional.ofNullable(jitLog),
                Optional.empty()));
    }

    /** {@return our guest} */
    VmConfig own(String name, DeviceConfig devices) {
        return new VmConfig(name, 1, 512 * MIB, Optional.of(kernel()), Optional.empty(), Optional.of(initrd()), APPEND,
                Optional.empty(), true).with(devices);
    }

    /** {@return the command of QEMU's guest} */
    List<String> other(String qemu, String cpu, List<String> devices) {
        List<String> command = new ArrayList<>(List.of(qemu, "-M", "virt,gic-version=3", "-cpu", cpu, "-m", "512",
                "-nographic", "-kernel", kernel().toString(), "-initrd", initrd().toString(), "-append",
                "console=ttyAMA0 " + APPEND, "-global", "virtio-mmio.force-legacy=false"));
        command.addAll(devices);
        return command;
    }
}
