package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.config.Quantity;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.pcpu.Schedulable;
import gunyah.load.HogMachine;
import gunyah.report.Fairness;
import gunyah.report.Report;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/**
 * CPU-bound guests under the hypervisor's scheduler: who got how much. Guest i runs on physical CPU i mod P; slices and
 * priorities go round among the guests of each physical CPU, so all physical CPUs have the same mix.
 */
public final class EqualHogs implements Scenario {
    private static final int MAX_GUESTS = 1000;

    @Option(names = "--guests", paramLabel = "N", defaultValue = "4", description = "guests of one vCPU (default 4)")
    private int guests;

    @Option(names = "--pcpus", paramLabel = "P", defaultValue = "1", description = "physical CPUs, 1 to 64 (default 1)")
    private int pcpus;

    @Option(names = "--duration", paramLabel = "D", defaultValue = "10s", description = "how long (default 10s)")
    private String duration;

    @Option(names = "--slices", paramLabel = "A:B:C", defaultValue = "1", split = ":",
            description = "time slices in units of --slice (default 1: all the same)")
    private int[] slices;

    @Option(names = "--slice", paramLabel = "D", defaultValue = "5ms", description = "unit of --slices (default 5ms)")
    private String slice;

    @Option(names = "--priorities", paramLabel = "A,B", defaultValue = "32", split = ",",
            description = "priorities, 0 to 62, higher first (default 32: all the same)")
    private int[] priorities;

    public EqualHogs() {
        // options have their defaults
    }

    /** The same with options of choice, for tests. */
    EqualHogs(int guests, int pcpus, String duration, String slice, int[] slices, int[] priorities) {
        this.guests = guests;
        this.pcpus = pcpus;
        this.duration = duration;
        this.slice = slice;
        this.slices = slices.clone();
        this.priorities = priorities.clone();
    }

    @Override
    public String name() {
        return "equal-hogs";
    }

    @Override
    public String description() {
        return "CPU-bound guests under the hypervisor's scheduler: equal, or of different slices or priorities.";
    }

    @Override
    public Report run() {
        check();
        try (HogMachine machine = new HogMachine(pcpus)) {
            for (int i = 0; i < guests; i++) {
                machine.add(i % pcpus, priority(i), sliceNs(i));
            }
            // Who is first in rank is first on: nobody below may run even once.
            List<Integer> order = IntStream.range(0, guests).boxed()
                    .sorted(Comparator.comparingInt(this::priority).reversed()).toList();
            long begin = System.nanoTime();
            order.forEach(machine::powerOn);
            long end = begin + Quantity.time(duration).toNanos();
            for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            Map<String, Long> threads = threadNs();
            machine.killAll();
            return report(machine, System.nanoTime() - begin, threads);
        }
    }

    private void check() {
        if (guests < 1 || guests > MAX_GUESTS || pcpus < 1 || pcpus > 64) {
            throw new BadInput("give 1 to %d guests and 1 to 64 pcpus".formatted(MAX_GUESTS));
        }
        for (int i = 0; i < guests; i++) {
            if (priority(i) < 0 || priority(i) > Schedulable.MAX_PRIORITY) {
                throw new BadInput("a priority is 0 to %d, not %d".formatted(Schedulable.MAX_PRIORITY, priority(i)));
            }
            if (sliceNs(i) < 100_000 || sliceNs(i) > 100_000_000) {
                throw new BadInput("a slice is 100us to 100ms, not %d ns".formatted(sliceNs(i)));
            }
        }
    }

    private int priority(int guest) {
        return priorities[guest / pcpus % priorities.length];
    }

    private long sliceNs(int guest) {
        return slices[guest / pcpus % slices.length] * Quantity.time(slice).toNanos();
    }

    /** {@return the share of its physical CPU that the policy gives the guest: by slice among the highest priority} */
    private double expected(int guest) {
        int highest = 0;
        for (int i = guest % pcpus; i < guests; i += pcpus) {
            highest = Math.max(highest, priority(i));
        }
        long all = 0;
        for (int i = guest % pcpus; i < guests; i += pcpus) {
            all += priority(i) == highest ? sliceNs(i) : 0;
        }
        return priority(guest) == highest ? (double) sliceNs(guest) / all : 0;
    }

    /** {@return CPU time that the host gave each vCPU's thread, by name} */
    private static Map<String, Long> threadNs() {
        ThreadMXBean bean = ManagementFactory.getThreadMXBean();
        Map<String, Long> times = new HashMap<>();
        for (ThreadInfo info : bean.getThreadInfo(bean.getAllThreadIds())) {
            if (info != null) {
                times.put(info.getThreadName(), bean.getThreadCpuTime(info.getThreadId()));
            }
        }
        return times;
    }

    private Report report(HogMachine machine, long wallNs, Map<String, Long> threads) {
        List<String> columns = List.of("guest", "pcpu", "priority", "slice_us", "cpu_ms", "thread_ms", "instructions",
                "grants", "share", "expected", "longest_wait_ms");
        List<List<Object>> rows = new ArrayList<>();
        List<Double> cpu = new ArrayList<>();
        List<Double> thread = new ArrayList<>();
        List<Double> work = new ArrayList<>();
        double worst = 0;
        double longestWait = 0;
        long busyNs = 0;
        long lowerNs = 0;
        long[] runNs = new long[pcpus];
        for (int i = 0; i < guests; i++) {
            runNs[i % pcpus] += machine.statistics(i).runNs();
        }
        for (int i = 0; i < guests; i++) {
            VcpuStatistics used = machine.statistics(i);
            long threadNs = threads.getOrDefault(used.name(), 0L);
            double share = (double) used.runNs() / runNs[i % pcpus];
            double expected = expected(i);
            rows.add(List.of((long) i, (long) (i % pcpus), (long) priority(i), sliceNs(i) / 1000, ms(used.runNs()),
                    ms(threadNs), used.retired(), used.runs(), share, expected, ms(used.longestWaitNs())));
            busyNs += used.runNs();
            if (expected == 0) {
                lowerNs += used.runNs();
                continue;
            }
            cpu.add(used.runNs() / expected);
            thread.add(threadNs / expected);
            work.add(used.retired() / expected);
            worst = Math.max(worst, Math.abs(share / expected - 1));
            longestWait = Math.max(longestWait, ms(used.longestWaitNs()));
        }
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("jain_cpu", jain(cpu));
        figures.put("jain_instructions", jain(work));
        figures.put("jain_thread", jain(thread));
        figures.put("worst_share_error", worst);
        figures.put("longest_wait_ms", longestWait);
        figures.put("lower_priority_ms", ms(lowerNs));
        figures.put("granted", busyNs / ((double) wallNs * Math.min(pcpus, guests)));
        return new Report(name(), settings(), columns, rows, figures);
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("guests", String.valueOf(guests));
        settings.put("pcpus", String.valueOf(pcpus));
        settings.put("duration", duration);
        settings.put("host_cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
        return settings;
    }

    private static double jain(List<Double> shares) {
        return Fairness.jain(shares.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private static double ms(long ns) {
        return ns / 1e6;
    }
}
