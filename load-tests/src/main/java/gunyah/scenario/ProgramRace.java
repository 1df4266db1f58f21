package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.config.DeviceConfig;
import gunyah.config.DiskConfig;
import gunyah.load.OwnShell;
import gunyah.load.QemuShell;
import gunyah.load.ShellGuest;
import gunyah.report.Report;
import gunyah.report.Spread;
import gunyah.runtime.GunyahSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Programs that we did not write, and one that we did, in a Debian guest on our machine and on QEMU (TCG) with the same
 * kernel, initramfs and disk, by turns: CPU time for the same work, and whether both found the same. The first rounds
 * warm up; each guest waits in its kernel while the other one works.
 */
public final class ProgramRace implements Scenario {
    static final List<String> PROGRAMS = List.of("core", "sha256", "aes-128-gcm", "chacha20", "rsa2048",
            "ecdsap256", "gzip", "gunzip", "python3", "sqlite", "sort", "children");
    private static final int SECTOR = 512;
    private static final Duration PATIENCE = Duration.ofMinutes(20);
    private static final Pattern ANSWER = Pattern.compile("answer (\\S+) (\\d+)\\s");

    @Mixin
    private final DebianPair pair = new DebianPair();

    @Option(names = "--disk", paramLabel = "FILE",
            description = "Debian with the programs (default .guests/software.img, made by tools/run-real-software.sh)")
    private Path disk;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5", description = "measured rounds (default 5)")
    private int rounds;

    @Option(names = "--warm-up", paramLabel = "N", defaultValue = "2", description = "rounds before them (default 2)")
    private int warmUp;

    @Option(names = "--only", paramLabel = "NAME,...", split = ",", description = "these programs only")
    private List<String> only = PROGRAMS;

    @Option(names = "--qemu", paramLabel = "COMMAND", defaultValue = "qemu-system-aarch64",
            description = "what to race against (default qemu-system-aarch64)")
    private String qemu;

    /** One run of a program: CPU nanoseconds for each unit of work. */
    private record Run(String check, ShellGuest.Use used, double work) {
        double guestNs() {
            return (used.guestNs() == 0 ? used.cpuNs() : used.guestNs()) / work;
        }

        double allNs() {
            return used.cpuNs() / work;
        }
    }

    /** The runs of a program, by round. */
    private record Runs(List<Run> ours, List<Run> theirs) {
    }

    @Override
    public String name() {
        return "programs";
    }

    @Override
    public String description() {
        return "Real programs in a Debian guest beside QEMU, CPU time of each; needs fetched guests and QEMU.";
    }

    @Override
    public Report run() {
        if (rounds < 1 || rounds > 1000 || warmUp < 0 || warmUp > 1000) {
            throw new BadInput("give 1 to 1000 rounds and at most 1000 that warm up");
        }
        only.stream().filter(name -> !PROGRAMS.contains(name)).findFirst().ifPresent(name -> {
            throw new BadInput("no program '%s': there are %s".formatted(name, String.join(", ", PROGRAMS)));
        });
        Path debian = disk == null ? DebianPair.fetched("software.img") : disk;
        if (!Files.isReadable(debian)) {
            throw new BadInput("there is no disk %s: tools/run-real-software.sh makes it".formatted(debian));
        }
        List<Path> disks = new ArrayList<>(List.of(debian));
        try {
            disks.add(disk("programs.sh", (byte) '\n'));
            disks.add(disk("core.elf", (byte) 0));
            try (GunyahSystem system = pair.start();
                    ShellGuest own = own(system, disks);
                    ShellGuest other = other(disks)) {
                return race(own, other);
            }
        } finally {
            disks.stream().skip(1).forEach(file -> file.toFile().delete());
        }
    }

    /** {@return a resource as a raw disk: whole sectors} */
    private static Path disk(String resource, byte filler) {
        try (InputStream in = ShellGuest.class.getResourceAsStream(resource)) {
            byte[] content = in.readAllBytes();
            byte[] sectors = Arrays.copyOf(content, (content.length + SECTOR - 1) / SECTOR * SECTOR);
            Arrays.fill(sectors, content.length, sectors.length, filler);
            return Files.write(Files.createTempFile("gunyah-programs", ".img"), sectors);
        } catch (IOException e) {
            throw new BadInput("cannot write a disk to the temporary directory: " + e, e);
        }
    }

    private ShellGuest own(GunyahSystem system, List<Path> disks) {
        DeviceConfig devices = new DeviceConfig(disks.stream()
                .map(file -> new DiskConfig(file, true, Optional.of(DiskConfig.Format.RAW))).toList(), List.of());
        return new OwnShell(system.createVm(pair.own("programs", devices)), PATIENCE);
    }

    private ShellGuest other(List<Path> disks) {
        List<String> devices = new ArrayList<>(List.of("-nic", "none"));
        // the last device is at the lowest address, where Linux begins
        for (int i = disks.size() - 1; i >= 0; i--) {
            devices.addAll(List.of("-drive",
                    "file=%s,format=raw,if=none,id=d%d,readonly=on".formatted(disks.get(i), i), "-device",
                    "virtio-blk-device,drive=d" + i));
        }
        // as many features as ours has, of those that the programs ask for
        return new QemuShell(pair.other(qemu, "neoverse-n1", devices), PATIENCE);
    }

    private Report race(ShellGuest own, ShellGuest other) {
        for (ShellGuest guest : List.of(own, other)) {
            guest.command("mount -o ro /dev/vda /mnt && mount -t tmpfs tmpfs /mnt/tmp && mount -t proc proc /mnt/proc",
                    PATIENCE);
            guest.command("mount -o bind /dev /mnt/dev; cat /dev/vdb >/mnt/tmp/programs", PATIENCE);
            guest.command("cat /dev/vdc >/mnt/tmp/core; chmod +x /mnt/tmp/core", PATIENCE);
        }
        Map<String, Runs> runs = new LinkedHashMap<>();
        for (int round = 0; round < warmUp + rounds; round++) {
            for (String program : only) {
                Run ours = run(own, program);
                Run theirs = run(other, program);
                if (!ours.check().equals(theirs.check()) || ours.work() == 0 || theirs.work() == 0) {
                    throw new IllegalStateException("%s: %s here, %s on QEMU".formatted(program, ours, theirs));
                }
                Runs both = runs.computeIfAbsent(program, name -> new Runs(new ArrayList<>(), new ArrayList<>()));
                both.ours().add(ours);
                both.theirs().add(theirs);
            }
        }
        return report(runs);
    }

    private static Run run(ShellGuest guest, String program) {
        ShellGuest.Use before = guest.use();
        MatchResult answer = guest.command("chroot /mnt /bin/busybox sh /tmp/programs " + program, ANSWER, PATIENCE);
        return new Run(answer.group(1), guest.use().since(before), Double.parseDouble(answer.group(2)));
    }

    private Report report(Map<String, Runs> runs) {
        List<List<Object>> cells = new ArrayList<>();
        List<Double> medians = new ArrayList<>();
        for (Map.Entry<String, Runs> entry : runs.entrySet()) {
            Run first = entry.getValue().ours().getFirst();
            List<Run> ours = entry.getValue().ours().subList(warmUp, warmUp + rounds);
            List<Run> theirs = entry.getValue().theirs().subList(warmUp, warmUp + rounds);
            // all are of as much work as QEMU did last
            double unit = theirs.getLast().work() / 1e9;
            double[] ratios = new double[rounds];
            double[] all = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                ratios[i] = theirs.get(i).allNs() / ours.get(i).guestNs();
                all[i] = theirs.get(i).allNs() / ours.get(i).allNs();
            }
            Spread ratio = Spread.of(ratios);
            cells.add(List.of(entry.getKey(), first.guestNs() * unit,
                    Spread.of(ours.stream().mapToDouble(Run::guestNs).toArray()).median() * unit,
                    Spread.of(ours.stream().mapToDouble(Run::allNs).toArray()).median() * unit,
                    Spread.of(theirs.stream().mapToDouble(Run::allNs).toArray()).median() * unit,
                    (long) (ours.getLast().used().instructions() / ours.getLast().work() * unit * 1e3), ratio.median(),
                    ratio.lowest(), ratio.highest(), Spread.of(all).median()));
            medians.add(ratio.median());
        }
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("engine", pair.engine());
        settings.put("warm-up", warmUp + "");
        settings.put("rounds", rounds + "");
        return new Report(name(), settings, List.of("program", "first_s", "gunyah_s", "gunyah_all_s", "qemu_s",
                "minsns", "ratio", "lowest", "highest", "ratio_all"), cells, Ratios.figures(medians));
    }
}
