package gunyah.scenario;

import gunyah.arm64.translate.Translator;
import gunyah.config.BadInput;
import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.config.Quantity;
import gunyah.config.VmConfig;
import gunyah.report.Report;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Option;

/**
 * Guests come and go: some boot at once, of the given kernels by turns, and are killed at their prompts. Each round is a
 * line of what the JVM keeps of their code.
 */
public final class Churn implements Scenario {
    private static final int MAX_GUESTS = 64;
    private static final long MIB = 1L << 20;
    private static final Duration BOOT = Duration.ofMinutes(30);

    @Option(names = "--guests", paramLabel = "N", defaultValue = "1", description = "how many at once (default 1)")
    private int guests;

    @Option(names = "--duration", paramLabel = "D", defaultValue = "2m",
            description = "no round begins after this time (default 2m)")
    private String duration;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "1000", description = "most rounds (default 1000)")
    private int rounds;

    @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = "translate", converter = EngineName.class,
            description = "auto, interpret, lockstep or translate (default)")
    private String engine;

    @Option(names = "--kernel", paramLabel = "FILE", required = true, description = "a guest's kernel; may be repeated")
    private List<Path> kernels;

    @Option(names = "--initrd", paramLabel = "FILE", description = "RAM disk of the kernel at the same place")
    private List<Path> initrds = List.of();

    @Option(names = "--append", paramLabel = "TEXT", defaultValue = "cryptomgr.notests",
            description = "more kernel command line (default cryptomgr.notests)")
    private String append;

    @Option(names = "--prompt", paramLabel = "TEXT", defaultValue = "/root # ",
            description = "what a guest shows when it is up (default '/root # ')")
    private String prompt;

    public Churn() {
        // options have their defaults
    }

    /** For tests: no RAM disk. */
    Churn(int guests, int rounds, List<Path> kernels, String prompt) {
        this.guests = guests;
        this.rounds = rounds;
        this.kernels = kernels;
        this.prompt = prompt;
        duration = "10m";
        engine = "translate";
        append = "";
    }

    @Override
    public String name() {
        return "churn";
    }

    @Override
    public String description() {
        return "Guests that boot and are killed: code cache, classes and translations that stay.";
    }

    @Override
    public Report run() {
        if (guests < 1 || guests > MAX_GUESTS) {
            throw new BadInput("give 1 to %d guests".formatted(MAX_GUESTS));
        }
        if (!initrds.isEmpty() && initrds.size() != kernels.size()) {
            throw new BadInput("give as many RAM disks as kernels, or none");
        }
        MachineConfig machine = new MachineConfig(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 64),
                (guests + 1) * 512 * MIB, 5_000_000, Engine.of(engine), CpuModel.DEFAULT);
        List<List<Object>> rows = new ArrayList<>();
        long start = System.nanoTime();
        long end = start + Quantity.time(duration).toNanos();
        try (GunyahSystem system = GunyahSystem.start(machine)) {
            for (int round = 0; round < rounds && (round == 0 || System.nanoTime() < end); round++) {
                bootAndKill(system, round);
                rows.add(row(System.nanoTime() - start, system));
            }
            return report(rows, system);
        }
    }

    private void bootAndKill(GunyahSystem system, int round) {
        List<Vm> vms = new ArrayList<>();
        for (int i = 0; i < guests; i++) {
            vms.add(system.createVm(guest(round, i)));
        }
        for (Vm vm : vms) {
            vm.awaitConsole(prompt, BOOT);
        }
        vms.forEach(Vm::stop);
        for (Vm vm : vms) {
            try {
                vm.exit().toCompletableFuture().get(BOOT.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new CompletionException(e);
            }
        }
    }

    private VmConfig guest(int round, int index) {
        int which = (round * guests + index) % kernels.size();
        return new VmConfig("churn-%d-%d".formatted(round, index), 1, 512 * MIB, Optional.of(kernels.get(which)),
                Optional.empty(), initrds.isEmpty() ? Optional.empty() : Optional.of(initrds.get(which)), append,
                Optional.empty(), true);
    }

    private static List<Object> row(long sinceStartNs, GunyahSystem system) {
        // classes leave with their last object
        System.gc();
        var classes = ManagementFactory.getClassLoadingMXBean();
        Translator.Statistics translated = translated(system);
        return List.of(sinceStartNs / 60e9, pools("Code"), pools("Metaspace"),
                (long) classes.getLoadedClassCount(), classes.getUnloadedClassCount(), translated.regions(),
                translated.instructions(), translated.shared(), translated.evicted());
    }

    private static Translator.Statistics translated(GunyahSystem system) {
        return system.translated().orElse(new Translator.Statistics(0, 0, 0, 0, 0, 0));
    }

    /** {@return MiB used by the JVM's memory pools whose name begins like that} */
    private static double pools(String prefix) {
        return ManagementFactory.getMemoryPoolMXBeans().stream().filter(pool -> pool.getName().startsWith(prefix))
                .map(MemoryPoolMXBean::getUsage).mapToLong(MemoryUsage::getUsed).sum() / 1048576.0;
    }

    private Report report(List<List<Object>> rows, GunyahSystem system) {
        Translator.Statistics translated = translated(system);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("guests", guests + "");
        settings.put("engine", engine);
        settings.put("kernels", kernels.stream().map(each -> each.getFileName().toString()).toList().toString());
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("regions", (double) translated.regions());
        figures.put("ms_of_a_region", translated.makingNs() / 1e6 / Math.max(1, translated.regions()));
        figures.put("failures", (double) translated.failures());
        return new Report(name(), settings, List.of("minutes", "code_cache_mib", "metaspace_mib", "classes",
                "unloaded", "regions", "instructions", "shared", "evicted"), rows, figures);
    }
}
