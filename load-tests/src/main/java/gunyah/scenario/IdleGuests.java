package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.config.Quantity;
import gunyah.config.VmConfig;
import gunyah.load.ThreadUse;
import gunyah.report.Report;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmStatistics;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Option;

/**
 * Guests that wait for somebody to type: what the machine uses meanwhile. The built-in guest takes ten timer interrupts a
 * second, a Linux those of its kernel.
 */
public final class IdleGuests implements Scenario {
    private static final int MAX_GUESTS = 256;
    private static final long MIB = 1L << 20;
    private static final String IMAGE = "/gunyah/guest/builtin.img";
    private static final Duration BOOT = Duration.ofMinutes(10);

    @Option(names = "--guests", paramLabel = "N", defaultValue = "8", description = "how many (default 8)")
    private int guests;

    @Option(names = "--duration", paramLabel = "D", defaultValue = "20s",
            description = "how long they are watched (default 20s)")
    private String duration;

    @Option(names = "--settle", paramLabel = "D", defaultValue = "10s",
            description = "how long before that: the JVM still compiles (default 10s)")
    private String settle;

    @Option(names = "--kernel", paramLabel = "FILE", description = "instead of the built-in guest")
    private Path kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "RAM disk of --kernel")
    private Path initrd;

    @Option(names = "--prompt", paramLabel = "TEXT", defaultValue = "/root # ",
            description = "what --kernel shows when it is up (default '/root # ')")
    private String prompt;

    public IdleGuests() {
        // options have their defaults
    }

    /** The built-in guest, for tests. */
    IdleGuests(int guests, String duration, String settle) {
        this.guests = guests;
        this.duration = duration;
        this.settle = settle;
    }

    @Override
    public String name() {
        return "idle";
    }

    @Override
    public String description() {
        return "Guests that wait for input: CPU time and wake-ups of all threads meanwhile.";
    }

    @Override
    public Report run() {
        if (guests < 1 || guests > MAX_GUESTS) {
            throw new BadInput("give 1 to %d guests".formatted(MAX_GUESTS));
        }
        long watchNs = Quantity.time(duration).toNanos();
        long settleNs = Quantity.time(settle).toNanos();
        Path image = kernel == null ? extract() : kernel;
        try (GunyahSystem system = GunyahSystem.start(machine())) {
            List<Vm> vms = new ArrayList<>();
            for (int i = 1; i <= guests; i++) {
                Vm vm = system.createVm(guest("idle-" + i, image));
                // One after the other: they boot sooner than all at once.
                vm.awaitConsole(kernel == null ? "ready, type help" : prompt, BOOT);
                vms.add(vm);
            }
            sleep(settleNs);
            return watch(vms, watchNs);
        } finally {
            if (kernel == null) {
                delete(image);
            }
        }
    }

    private long memory() {
        return (kernel == null ? 128 : 512) * MIB;
    }

    private MachineConfig machine() {
        return new MachineConfig(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 64),
                memory() * guests + 512 * MIB, 5_000_000);
    }

    private VmConfig guest(String name, Path image) {
        return new VmConfig(name, 1, memory(), Optional.of(image), Optional.empty(), Optional.ofNullable(initrd),
                kernel == null ? "" : "cryptomgr.notests", Optional.empty(), true);
    }

    private static Path extract() {
        try (InputStream resource = GunyahSystem.class.getResourceAsStream(IMAGE)) {
            Path file = Files.createTempFile("gunyah-idle-", ".img");
            Files.write(file, resource.readAllBytes());
            return file;
        } catch (IOException e) {
            throw new BadInput("cannot write the built-in guest to the temporary directory: " + e, e);
        }
    }

    private static void delete(Path image) {
        try {
            Files.deleteIfExists(image);
        } catch (IOException e) {
            throw new BadInput("cannot delete %s: %s".formatted(image, e), e);
        }
    }

    private static void sleep(long ns) {
        long end = System.nanoTime() + ns;
        for (long left = ns; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private Report watch(List<Vm> vms, long watchNs) {
        List<VmStatistics> before = vms.stream().map(Vm::statistics).toList();
        ThreadUse first = ThreadUse.now();
        long begin = System.nanoTime();
        sleep(watchNs);
        ThreadUse last = ThreadUse.now();
        double seconds = (System.nanoTime() - begin) / 1e9;
        long virqs = 0;
        long instructions = 0;
        for (int i = 0; i < vms.size(); i++) {
            VmStatistics after = vms.get(i).statistics();
            virqs += after.virqs() - before.get(i).virqs();
            instructions += after.instructions() - before.get(i).instructions();
        }
        List<List<Object>> rows = new ArrayList<>();
        last.since(first).forEach((kind, use) -> rows.add(List.of(kind, (long) use.threads(), use.cpuNs() / 1e6,
                use.cpuNs() / 1e7 / seconds, use.wakeUps(), use.wakeUps() / seconds)));
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("percent_of_one_core", last.cpuNsSince(first) / 1e7 / seconds);
        figures.put("interrupts", (double) virqs);
        figures.put("instructions", (double) instructions);
        figures.put("seconds", seconds);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("guests", String.valueOf(guests));
        settings.put("duration", duration);
        settings.put("kernel", kernel == null ? "builtin" : kernel.getFileName().toString());
        return new Report(name(), settings, List.of("threads", "count", "cpu_ms", "percent_of_one_core", "wake_ups",
                "wake_ups_per_s"), rows, figures);
    }
}
