package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.config.DeviceConfig;
import gunyah.config.DiskConfig;
import gunyah.config.MemoryConfig;
import gunyah.config.NetConfig;
import gunyah.config.VmConfig;
import gunyah.load.OwnShell;
import gunyah.load.QemuShell;
import gunyah.load.ShellGuest;
import gunyah.load.TransferServer;
import gunyah.report.Report;
import gunyah.runtime.GunyahSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Disk and network of one Debian guest beside QEMU (TCG) with the same kernel, initramfs, disk and server, by turns:
 * MB/s as the guests' own clocks have it, CPU time of both machines, and what each MiB took on ours. Each guest waits in
 * its kernel while the other one works.
 */
public final class IoThroughput implements Scenario {
    private static final long MIB = 1L << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    @Mixin
    private final DebianPair debian = new DebianPair();

    @Option(names = "--mib", paramLabel = "N", defaultValue = "64", description = "moved each time (default 64)")
    private int mib;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3", description = "default 3")
    private int rounds;

    @Option(names = "--unprotected", description = "share the guest's memory, so that it need not copy for its devices")
    private boolean unprotected;

    @Option(names = "--huge-pages", description = "give it in blocks of 2 MiB")
    private boolean hugePages;

    @Option(names = "--qemu", paramLabel = "COMMAND", defaultValue = "qemu-system-aarch64",
            description = "what to compare with, none for nothing (default qemu-system-aarch64)")
    private String qemu;

    @Option(names = "--only", paramLabel = "NAME,...", split = ",",
            description = "read, write, read-direct, write-direct (past the page cache), download, upload")
    private List<String> only = List.of();

    @Override
    public String name() {
        return "io";
    }

    @Override
    public String description() {
        return "Disk and network of a Debian guest beside QEMU; needs the fetched guest and qemu-system-aarch64.";
    }

    @Override
    public Report run() {
        if (mib < 1 || mib > 1024 || rounds < 1 || rounds > 1000) {
            throw new BadInput("give 1 to 1024 MiB and 1 to 1000 rounds");
        }
        Path ours = disk();
        Path theirs = disk();
        try (TransferServer server = new TransferServer(mib * MIB);
                GunyahSystem system = debian.start();
                ShellGuest own = own(system, ours);
                ShellGuest other = qemu.equals("none") ? null : other(theirs)) {
            return compare(own, other, server.port());
        } finally {
            ours.toFile().delete();
            theirs.toFile().delete();
        }
    }

    private Path disk() {
        try {
            Path file = Files.createTempFile("gunyah-io", ".img");
            try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
                byte[] piece = new byte[(int) MIB];
                new java.util.Random(1).nextBytes(piece);
                for (int i = 0; i < piece.length; i++) {
                    // what the guest's wget posts ends at the first zero
                    piece[i] |= 1;
                }
                for (int i = 0; i < mib; i++) {
                    disk.write(piece);
                }
                disk.setLength(2 * mib * MIB);
            }
            return file;
        } catch (IOException e) {
            throw new BadInput("cannot write a disk to the temporary directory: " + e, e);
        }
    }

    private ShellGuest own(GunyahSystem system, Path disk) {
        DeviceConfig devices = new DeviceConfig(
                List.of(new DiskConfig(disk, false, Optional.of(DiskConfig.Format.RAW))),
                List.of(new NetConfig.User(List.of())));
        VmConfig config = debian.own("io", devices).with(new MemoryConfig(!unprotected, false, hugePages));
        return new OwnShell(system.createVm(config), PATIENCE);
    }

    private ShellGuest other(Path disk) {
        return new QemuShell(debian.other(qemu, "cortex-a57", List.of("-drive",
                "file=%s,format=raw,if=none,id=d".formatted(disk), "-device", "virtio-blk-device,drive=d", "-netdev",
                "user,id=n", "-device", "virtio-net-device,netdev=n")), PATIENCE);
    }

    private Map<String, String> transfers(int port) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("read", "dd if=/dev/vda of=/dev/null bs=1M count=" + mib);
        lines.put("write", "sh -c 'dd if=/dev/zero of=/dev/vda bs=1M seek=%d count=%d; sync'".formatted(mib, mib));
        lines.put("read-direct", "dd if=/dev/vda of=/dev/null bs=1M iflag=direct count=" + mib);
        lines.put("write-direct",
                "dd if=/tmp/data of=/dev/vda bs=1M oflag=direct seek=%d count=%d".formatted(mib, mib));
        lines.put("download", "wget -q -O /dev/null http://10.0.2.2:%d/".formatted(port));
        lines.put("upload", "wget -q -O /dev/null --post-file /tmp/data http://10.0.2.2:%d/".formatted(port));
        if (!only.isEmpty()) {
            lines.keySet().retainAll(only);
        }
        return lines;
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("engine", debian.engine());
        settings.put("mib", String.valueOf(mib));
        settings.put("memory", (unprotected ? "shared" : "lent") + (hugePages ? ", 2 MiB" : ""));
        return settings;
    }

    private Report compare(ShellGuest own, ShellGuest other, int port) {
        List<ShellGuest> guests = other == null ? List.of(own) : List.of(own, other);
        for (ShellGuest guest : guests) {
            guest.command("udhcpc -q -i eth0", PATIENCE);
            guest.command("dd if=/dev/vda of=/tmp/data bs=1M count=" + mib, PATIENCE);
        }
        List<List<Object>> rows = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            for (Map.Entry<String, String> transfer : transfers(port).entrySet()) {
                for (ShellGuest guest : guests) {
                    guest.command("echo 3 > /proc/sys/vm/drop_caches", PATIENCE);
                    ShellGuest.Use before = guest.use();
                    double seconds = guest.time(transfer.getValue(), PATIENCE);
                    ShellGuest.Use used = guest.use().since(before);
                    rows.add(List.of((long) round, transfer.getKey(), guest == own ? "gunyah" : "qemu",
                            mib * MIB / 1e6 / seconds, used.cpuNs() / 1e6 / mib, used.guestNs() / 1e6 / mib,
                            used.compilerNs() / 1e6 / mib, used.instructions() / 1000.0 / mib,
                            (double) used.exits() / mib, (double) used.interrupts() / mib));
                }
            }
        }
        return new Report(name(), settings(), List.of("round", "transfer", "machine",
                "mb_per_s", "cpu_ms_per_mib", "vcpu_ms_per_mib", "jvm_ms_per_mib", "kinsns_per_mib", "exits_per_mib",
                "irqs_per_mib"), rows, Map.of());
    }
}
