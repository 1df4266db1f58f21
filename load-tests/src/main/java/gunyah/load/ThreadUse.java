package gunyah.load;

import gunyah.config.BadInput;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the threads of this process used up to one moment, as Linux counts it ({@code /proc/self/task}). The JVM's own
 * threads are among them.
 */
public final class ThreadUse {
    /**
     * What the threads of one kind used.
     *
     * @param threads how many there are
     * @param cpuNs   nanoseconds
     * @param wakeUps how often one of them had slept and ran again
     */
    public record Use(int threads, long cpuNs, long wakeUps) {
        private Use plus(Use other) {
            return new Use(threads + other.threads, cpuNs + other.cpuNs, wakeUps + other.wakeUps);
        }
    }

    private record Thread(String kind, long cpuNs, long wakeUps) {
    }

    private static final Path TASKS = Path.of("/proc/self/task");
    private static final String SWITCHES = "voluntary_ctxt_switches:";

    private final Map<String, Thread> threads = new HashMap<>();
    private final long processNs = processNs();

    private ThreadUse() {
    }

    private static long processNs() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /** {@return the use until now} @throws BadInput where there is no Linux */
    public static ThreadUse now() {
        ThreadUse use = new ThreadUse();
        try (var tasks = Files.list(TASKS)) {
            for (Path task : tasks.toList()) {
                use.read(task);
            }
        } catch (IOException e) {
            throw new BadInput("needs Linux's " + TASKS + ": " + e, e);
        }
        return use;
    }

    private void read(Path task) throws IOException {
        try {
            String name = Files.readString(task.resolve("comm")).strip();
            List<String> status = Files.readAllLines(task.resolve("status"));
            long switches = status.stream().filter(line -> line.startsWith(SWITCHES))
                    .mapToLong(line -> Long.parseLong(line.substring(SWITCHES.length()).strip())).findFirst().orElse(0);
            long cpuNs = Long.parseLong(Files.readString(task.resolve("schedstat")).split(" ")[0]);
            threads.put(task.getFileName().toString(), new Thread(kind(name), cpuNs, switches));
        } catch (NoSuchFileException ended) {
            // What it used is in the process' sum.
        }
    }

    /** Linux keeps 15 characters of a name. */
    private static String kind(String name) {
        if (name.matches("vm-\\d+/vcpu-\\d*.*|thread-\\d+")) {
            return name.startsWith("vm-3/") ? "host vCPUs" : name.startsWith("vm-255") ? "root vCPU" : "guest vCPUs";
        }
        if (name.startsWith("gunyah-")) {
            return name.endsWith("-timer") ? "timer" : name.startsWith("gunyah-schedule") ? "Akka's scheduler"
                    : "Akka's dispatchers";
        }
        if (name.equals(TransferServer.THREAD)) {
            return name;
        }
        return name.matches("C[12] .*|GC.*|VM .*|G1.*|Monitor.*|Common.*") ? "JVM"
                : "others";
    }

    /** {@return CPU nanoseconds of the whole process since {@code earlier}, ended threads included} */
    public long cpuNsSince(ThreadUse earlier) {
        return processNs - earlier.processNs;
    }

    /** {@return what each kind of threads used since {@code earlier}, by name} */
    public Map<String, Use> since(ThreadUse earlier) {
        Map<String, Use> kinds = new TreeMap<>();
        threads.forEach((id, now) -> {
            Thread before = earlier.threads.getOrDefault(id, new Thread(now.kind, 0, 0));
            kinds.merge(now.kind, new Use(1, now.cpuNs - before.cpuNs, now.wakeUps - before.wakeUps), Use::plus);
        });
        return kinds;
    }
}
