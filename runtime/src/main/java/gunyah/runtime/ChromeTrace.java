package gunyah.runtime;

import gunyah.hyp.trace.TraceBuffer;
import gunyah.hyp.trace.TraceKind;
import gunyah.hyp.trace.TraceRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A trace as one object of Chrome trace events, which Perfetto and chrome://tracing open. The physical CPUs are the
 * threads of process 0, and each slice is an event with a duration there; each VM is a process whose threads are its
 * vCPUs, with the same slices and everything else as instants. Times are microseconds (Trace Event Format).
 */
final class ChromeTrace implements TraceFormat {
    private static final int PHYSICAL = 0;
    private static final String UNKNOWN = "unknown";

    private final TraceWords words;
    private final Set<Long> named = new HashSet<>();
    /** By physical CPU: the grant that has not ended. */
    private final Map<Integer, TraceRecord> running = new HashMap<>();
    private boolean first = true;

    ChromeTrace(TraceBuffer buffer) {
        words = new TraceWords(buffer);
    }

    @Override
    public void begin(StringBuilder text) {
        text.append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
        nameProcess(text, PHYSICAL, "physical CPUs");
    }

    @Override
    public void event(StringBuilder text, TraceRecord event) {
        TraceKind kind = TraceKind.of(event.kind());
        if (kind == TraceKind.RUN) {
            stop(text, running.put(event.pcpu(), event), event.ns(), UNKNOWN);
        } else if (kind == TraceKind.STOP) {
            stop(text, running.remove(event.pcpu()), event.ns(), TraceWords.stop(event));
        } else {
            instant(text, event);
        }
    }

    private void stop(StringBuilder text, TraceRecord run, long endNs, String reason) {
        if (run == null) {
            return;
        }
        name(text, run.vmid(), run.vcpu());
        nameThread(text, PHYSICAL, run.pcpu(), "pcpu-" + run.pcpu());
        String vcpu = "%s/vcpu-%d".formatted(TraceWords.vm(run.vmid()), run.vcpu());
        slice(text, vcpu, PHYSICAL, run.pcpu(), run, endNs, reason);
        slice(text, "pcpu-" + run.pcpu(), process(run.vmid()), run.vcpu(), run, endNs, reason);
    }

    private void slice(StringBuilder text, String name, int process, int thread, TraceRecord run, long endNs,
            String reason) {
        StringBuilder details = new StringBuilder();
        JsonObject arguments = new JsonObject(details).put("stopped", reason);
        if (!TraceWords.lender(run).isEmpty()) {
            arguments.put("slice-of", TraceWords.lender(run));
        }
        arguments.end();
        begin(text, name, "run", "X", process, thread, run.ns()).raw("dur", micros(endNs - run.ns()))
                .raw("args", details).end();
    }

    private void instant(StringBuilder text, TraceRecord event) {
        name(text, event.vmid(), event.vcpu());
        if (event.kind() == MachineEvent.LAUNCH.kind()) {
            nameProcess(text, process(event.vmid()), TraceWords.vm(event.vmid()) + " " + words.buffer().note(event.a()));
        }
        StringBuilder details = new StringBuilder();
        JsonObject arguments = new JsonObject(details);
        words.details(arguments, event);
        if (event.pcpu() >= 0) {
            arguments.put("pcpu", event.pcpu());
        }
        arguments.end();
        boolean ofVcpu = event.vcpu() >= 0;
        begin(text, words.title(event), TraceWords.event(event), "i", process(event.vmid()),
                ofVcpu ? event.vcpu() : 0, event.ns()).put("s", ofVcpu ? "t" : "p").raw("args", details).end();
    }

    /** Process 0 is the machine's; VMs follow, events of no VM first. */
    private static int process(int vmid) {
        return vmid + 2;
    }

    private void name(StringBuilder text, int vmid, int vcpu) {
        if (named.add((long) process(vmid) << 32)) {
            nameProcess(text, process(vmid), TraceWords.vm(vmid));
        }
        if (vcpu >= 0) {
            nameThread(text, process(vmid), vcpu, "vcpu-" + vcpu);
        }
    }

    private void nameProcess(StringBuilder text, int process, String name) {
        metadata(text, "process_name", process, 0, name);
    }

    private void nameThread(StringBuilder text, int process, int thread, String name) {
        if (named.add((long) process << 32 | thread + 1)) {
            metadata(text, "thread_name", process, thread, name);
        }
    }

    private void metadata(StringBuilder text, String what, int process, int thread, String name) {
        StringBuilder arguments = new StringBuilder();
        new JsonObject(arguments).put("name", name).end();
        begin(text, what, "__metadata", "M", process, thread, 0).raw("args", arguments).end();
    }

    private JsonObject begin(StringBuilder text, String name, String category, String phase, int process, int thread,
            long ns) {
        text.append(first ? "" : ",\n");
        first = false;
        return new JsonObject(text).put("name", name).put("cat", category).put("ph", phase).put("pid", process)
                .put("tid", thread).raw("ts", micros(ns));
    }

    private static String micros(long ns) {
        return "%d.%03d".formatted(ns / 1000, ns % 1000);
    }

    @Override
    public void end(StringBuilder text, long ns, long events, long lost) {
        running.values().forEach(run -> stop(text, run, ns, UNKNOWN));
        StringBuilder counts = new StringBuilder();
        new JsonObject(counts).put("events", events).put("dropped", lost).end();
        text.append("\n],\"otherData\":").append(counts).append("}\n");
    }
}
