package gunyah.cli;

import gunyah.config.BadInput;
import gunyah.config.NetConfig;
import gunyah.config.RunSettings;
import gunyah.config.SettingsReader;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gunyah run}: runs VMs until they end, the time is over, or the user leaves. */
@Command(name = "run", mixinStandardHelpOptions = true, version = Main.VERSION, sortOptions = false,
        description = "Runs a guest: the built-in one, one known by name, or a kernel or firmware of yours.",
        footer = {"", "Sizes and durations need a unit: 512M, 1G, 500ms, 30s, 2m.",
            "On a terminal Ctrl-A x leaves, Ctrl-A a sends Ctrl-A.",
            "Exit status: 0 the guest powered off (with --no-reboot: or asked for a reset), 3 it crashed, 124 timeout,",
            "2 bad usage or input."})
final class RunCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "GUEST",
            description = "builtin (default), debian, debian-6.12, debian-generic, debian-rt or u-boot; fetched first if needed")
    private String guest;

    @Option(names = "--kernel", paramLabel = "FILE", description = "arm64 Image (plain or gzip), ELF64 or raw bytes")
    private String kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "initial RAM disk")
    private String initrd;

    @Option(names = "--append", paramLabel = "TEXT", description = "more kernel command line")
    private String append;

    @Option(names = "--dtb", paramLabel = "FILE", description = "device tree instead of the generated one")
    private String dtb;

    @Option(names = "--dtb-overlay", paramLabel = "FILE",
            description = "overlay (dtc -@) applied to the device tree; may be repeated")
    private List<String> overlays = List.of();

    @Option(names = "--dump-dtb", paramLabel = "FILE",
            description = "write the device tree as the Resource Manager is given it, and exit; runs nothing")
    private String dumpDtb;

    @Option(names = "--firmware", paramLabel = "FILE", description = "firmware instead of a kernel, such as U-Boot")
    private String firmware;

    @Option(names = "--disk", paramLabel = "DISK", description = "FILE[,ro][,format=raw|qcow2]; may be repeated")
    private List<String> disks = List.of();

    @Option(names = "--net", paramLabel = "NET",
            description = "user[," + NetConfig.FORM + "], switch=NAME or none (default); may be repeated")
    private List<String> nets = List.of();

    @Option(names = "--primary-kernel", paramLabel = "FILE",
            description = "kernel that runs as the primary VM, instead of our host with a guest")
    private String primaryKernel;

    @Option(names = "--share", paramLabel = "DIR",
            description = "a folder; the guest does mount -t virtiofs share0 /mnt; may be repeated (share1, ...)")
    private List<String> shares = List.of();

    @Option(names = "--vsock", paramLabel = "VSOCK",
            description = "CID[,socket=PATH]: sockets between guest and this computer; programs here connect to PATH "
                    + "(default NAME.vsock) and send CONNECT PORT, the guest reaches PATH_N at port N of CID 2")
    private String vsock;

    @Option(names = "--balloon", paramLabel = "SIZE",
            description = "a memory balloon, and how much the guest is to give back by it at first, such as 128M")
    private String balloon;

    @Option(names = "--rng", description = "a virtio source of entropy")
    private boolean rng;

    @Option(names = "--serial", paramLabel = "DEVICE",
            description = "the console's device: pl011 (default), ns16550a or virtio")
    private String serial;

    @Option(names = "--cpus", paramLabel = "N", description = "vCPUs of each VM, 1 to 64")
    private String cpus;

    @Option(names = "--mem", paramLabel = "SIZE", description = "RAM of each VM, such as 512M")
    private String mem;

    @Option(names = "--protected", description = "guest memory is lent: the host sees nothing of it (default)")
    private boolean isProtected;

    @Option(names = "--unprotected", description = "guest memory is shared: virtio devices reach all of it")
    private boolean unprotected;

    @Option(names = "--memory-backing", paramLabel = "WHEN",
            description = "lazy (default): a guest gets memory when it touches it; prealloc: all before it starts")
    private String memoryBacking;

    @Option(names = "--huge-pages", description = "guest memory in blocks of 2 MiB")
    private boolean hugePages;

    @Option(names = "--vms", paramLabel = "N",
            description = "start N such VMs, named NAME-1 to NAME-N; input goes to all of them")
    private String vms;

    @Option(names = "--pcpus", paramLabel = "N",
            description = "physical CPUs of the machine: how many vCPUs run at once (default: as many as the host has)")
    private String pcpus;

    @Option(names = "--engine", paramLabel = "ENGINE",
            description = "auto (default: hot code is translated to JVM code), interpret, translate (early), or "
                    + "lockstep (what is translated is compared with what the interpreter does)")
    private String engine;

    @Option(names = "--cpu", paramLabel = "MODEL",
            description = "base (plain Armv8.0), default, or max (pointer authentication and random numbers, too)")
    private String cpu;

    @Option(names = "--no-reboot", description = "a guest that asks for a reset ends, and is not started again")
    private boolean noReboot;

    @Option(names = "--name", paramLabel = "NAME", description = "name of the VM")
    private String name;

    @Option(names = "--console", paramLabel = "TARGET",
            description = "stdio, null or file:PATH; with several VMs boot.log becomes boot-1.log, boot-2.log, ...")
    private String console;

    @Option(names = "--timeout", paramLabel = "DURATION", description = "stop after this time, with status 124")
    private String timeout;

    @Option(names = "--config", paramLabel = "FILE", description = "HOCON file with settings; options win over it")
    private Path config;

    @Option(names = "--stats", description = "print statistics of each VM as JSON, last on standard error")
    private boolean stats;

    @Option(names = "--trace", paramLabel = "FILE",
            description = "write who ran when, exits, hypercalls, interrupts and RM messages to this file: for Perfetto "
                    + "when its name ends in .json, else one JSON object a line")
    private String trace;

    @Option(names = "--jit-log", paramLabel = "FILE",
            description = "write what is translated to this file: each region, its time, bytecode size and instructions")
    private String jitLog;

    @Option(names = "--code-cache", paramLabel = "DIR",
            description = "keep translated code in this directory for the next process; who can write there decides "
                    + "what this program executes")
    private String codeCache;

    private final Main.Surroundings surroundings;
    private final PrintStream err;
    private final CompletableFuture<Void> left = new CompletableFuture<>();

    RunCommand(Main.Surroundings surroundings) {
        this.surroundings = surroundings;
        this.err = surroundings.err();
    }

    @Override
    public Integer call() throws InterruptedException {
        if (isProtected && unprotected) {
            throw new BadInput("--protected and --unprotected are both given: give one of them");
        }
        SettingsReader reader = new SettingsReader();
        options().forEach((option, setting) -> reader.values("option " + option, setting));
        list(reader, "--disk", "vm.disks", disks);
        list(reader, "--net", "vm.nets", nets);
        list(reader, "--share", "vm.shares", shares);
        list(reader, "--dtb-overlay", "vm.dtb-overlays", overlays);
        if (config != null) {
            reader.file(config);
        }
        Optional<NamedGuest> named = namedGuest(reader.namesGuest());
        if (named.isEmpty()) {
            return run(reader.read());
        }
        if (named.get() == NamedGuest.BUILTIN) {
            return runBuiltin(reader);
        }
        if (!named.get().isPresent(surroundings.guests())) {
            new DebianFetch(surroundings.guests(), err).fetch(named.get());
        }
        return run(reader.values("guest " + named.get().label(), named.get().settings(surroundings.guests())).read());
    }

    private int runBuiltin(SettingsReader reader) throws InterruptedException {
        Path image = NamedGuest.extractBuiltin();
        try {
            Map<String, String> settings = NamedGuest.BUILTIN.settings(surroundings.guests());
            settings.put("vm.kernel", image.toString());
            return run(reader.values("guest builtin", settings).read());
        } finally {
            delete(image);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }

    private Optional<NamedGuest> namedGuest(boolean fileNamed) {
        if (guest != null && fileNamed) {
            throw new BadInput("'%s' and a kernel or firmware file are both given: give one of them".formatted(guest));
        }
        return fileNamed ? Optional.empty() : Optional.of(NamedGuest.of(guest == null ? "builtin" : guest));
    }

    private Map<String, Map<String, String>> options() {
        Map<String, Map<String, String>> options = new LinkedHashMap<>();
        put(options, "--kernel", "vm.kernel", kernel);
        put(options, "--initrd", "vm.initrd", initrd);
        put(options, "--append", "vm.append", append);
        put(options, "--dtb", "vm.dtb", dtb);
        put(options, "--vsock", "vm.vsock", vsock);
        put(options, "--balloon", "vm.balloon", balloon);
        put(options, "--dump-dtb", "vm.dump-dtb", dumpDtb);
        put(options, "--protected", "vm.protected", isProtected ? "true" : null);
        put(options, "--unprotected", "vm.protected", unprotected ? "false" : null);
        put(options, "--memory-backing", "vm.memory-backing", memoryBacking);
        put(options, "--huge-pages", "vm.huge-pages", hugePages ? "true" : null);
        put(options, "--no-reboot", "vm.reboot", noReboot ? "false" : null);
        put(options, "--rng", "vm.rng", rng ? "true" : null);
        put(options, "--serial", "vm.serial", serial);
        put(options, "--firmware", "vm.firmware", firmware);
        put(options, "--primary-kernel", "vm.primary-kernel", primaryKernel);
        put(options, "--cpus", "vm.cpus", cpus);
        put(options, "--mem", "vm.memory", mem);
        put(options, "--vms", "vm.count", vms);
        put(options, "--pcpus", "machine.pcpus", pcpus);
        put(options, "--engine", "machine.engine", engine);
        put(options, "--cpu", "machine.cpu", cpu);
        put(options, "--name", "vm.name", name);
        put(options, "--console", "console", console);
        put(options, "--timeout", "timeout", timeout);
        put(options, "--stats", "stats", stats ? "true" : null);
        put(options, "--trace", "trace", trace);
        put(options, "--jit-log", "machine.jit-log", jitLog);
        put(options, "--code-cache", "machine.code-cache", codeCache);
        return options;
    }

    private static void put(Map<String, Map<String, String>> options, String option, String key, String value) {
        if (value != null) {
            options.put(option, Map.of(key, value));
        }
    }

    private static void list(SettingsReader reader, String option, String key, List<String> values) {
        if (!values.isEmpty()) {
            reader.list("option " + option, key, values);
        }
    }

    private int run(RunSettings settings) throws InterruptedException {
        Optional<Path> dump = settings.vms().getFirst().tree().dump();
        if (dump.isPresent()) {
            return dump(settings.vms().getFirst(), dump.get());
        }
        ConsoleWriters writers = new ConsoleWriters(surroundings.out(), err);
        List<OutputStream> outputs = new ArrayList<>();
        for (int i = 0; i < settings.vms().size(); i++) {
            outputs.add(writers.open(settings.console(), i, settings.vms().size()));
        }
        Optional<RawTerminal> terminal = RawTerminal.ofStandardInput();
        GunyahSystem system = surroundings.start().apply(settings.machine(), settings.trace());
        Thread cleaning = new Thread(() -> {
            terminal.ifPresent(RawTerminal::restore);
            system.close();
        }, "gunyah-shutdown");
        Runtime.getRuntime().addShutdownHook(cleaning);
        try (system) {
            List<Vm> started = start(system, settings, writers, outputs);
            boolean raw = terminal.isPresent() && started.size() == 1;
            if (raw) {
                terminal.get().enter();
            }
            new Keyboard(surroundings.in(), raw, keys -> started.forEach(vm -> vm.type(keys)),
                    () -> left.complete(null)).start();
            return outcome(started, settings, writers);
        } finally {
            terminal.ifPresent(RawTerminal::restore);
            forget(cleaning);
        }
    }

    private static int dump(VmConfig vm, Path file) {
        byte[] tree = GunyahSystem.deviceTree(vm);
        try {
            Files.write(file, tree);
        } catch (IOException e) {
            throw new BadInput("cannot write the device tree to %s: %s".formatted(file, reason(e)), e);
        }
        return ExitStatus.OK;
    }

    private static String reason(IOException e) {
        return e instanceof NoSuchFileException ? "its directory does not exist"
                : e instanceof AccessDeniedException ? "no permission" : e.getMessage();
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // a signal ends the program: the hook itself is what brought us here
        }
    }

    private static List<Vm> start(GunyahSystem system, RunSettings settings, ConsoleWriters writers,
            List<OutputStream> outputs) {
        List<CompletionStage<Vm>> launches = new ArrayList<>();
        for (VmConfig vm : settings.vms()) {
            launches.add(system.launchVm(vm));
        }
        List<Vm> started = new ArrayList<>();
        try {
            for (int i = 0; i < launches.size(); i++) {
                Vm vm = launches.get(i).toCompletableFuture().join();
                writers.start(vm, outputs.get(i));
                started.add(vm);
            }
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
        return started;
    }

    private int outcome(List<Vm> started, RunSettings settings, ConsoleWriters writers) throws InterruptedException {
        boolean timedOut = !awaitEnd(started, settings.timeout());
        List<Vm> unfinished = started.stream().filter(vm -> !vm.exit().toCompletableFuture().isDone()).toList();
        if (timedOut) {
            for (Vm vm : unfinished) {
                err.println("gunyah: %s still runs after %s\n%s".formatted(vm.name(),
                        seconds(settings.timeout().orElseThrow()), vm.describe().stripTrailing()));
            }
        }
        unfinished.forEach(Vm::stop);
        int status = timedOut ? ExitStatus.TIMEOUT : ExitStatus.OK;
        for (Vm vm : started) {
            VmOutcome end = vm.exit().toCompletableFuture().join();
            if (end.kind() == VmOutcome.Kind.CRASHED) {
                status = ExitStatus.CRASHED;
            }
        }
        writers.finish();
        started.forEach(this::report);
        if (settings.stats()) {
            for (Vm vm : started) {
                boolean late = timedOut && unfinished.contains(vm);
                err.println((late ? vm.statistics().withExit("timeout") : vm.statistics()).json());
            }
        }
        return status;
    }

    private void report(Vm vm) {
        VmOutcome end = vm.exit().toCompletableFuture().join();
        if (end.kind() == VmOutcome.Kind.CRASHED) {
            err.println("gunyah: %s crashed: %s\n%s".formatted(vm.name(), end.reason(), end.report().stripTrailing()));
        } else if (end.kind() == VmOutcome.Kind.RESET) {
            err.println("gunyah: %s %s and ended".formatted(vm.name(), end.reason()));
        }
    }

    /** {@return false when the time is over first} */
    private boolean awaitEnd(List<Vm> started, Optional<Duration> timeout) throws InterruptedException {
        CompletableFuture<?> all = CompletableFuture.allOf(started.stream()
                .map(vm -> vm.exit().toCompletableFuture()).toArray(CompletableFuture<?>[]::new));
        CompletableFuture<?> end = CompletableFuture.anyOf(all, left);
        try {
            if (timeout.isPresent()) {
                end.get(timeout.get().toNanos(), TimeUnit.NANOSECONDS);
            } else {
                end.get();
            }
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String seconds(Duration duration) {
        return duration.toMillis() / 1000.0 + " s";
    }
}
