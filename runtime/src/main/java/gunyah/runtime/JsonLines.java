package gunyah.runtime;

import gunyah.hyp.trace.TraceBuffer;
import gunyah.hyp.trace.TraceRecord;

/** A trace as JSON lines: one object for each event, and one that says how many. */
final class JsonLines implements TraceFormat {
    private final TraceWords words;

    JsonLines(TraceBuffer buffer) {
        words = new TraceWords(buffer);
    }

    @Override
    public void begin(StringBuilder text) {
        // nothing stands before the first line
    }

    @Override
    public void event(StringBuilder text, TraceRecord event) {
        JsonObject line = new JsonObject(text).put("t", event.ns());
        if (event.pcpu() >= 0) {
            line.put("pcpu", event.pcpu());
        }
        line.put("vm", TraceWords.vm(event.vmid()));
        if (event.vcpu() >= 0) {
            line.put("vcpu", event.vcpu());
        }
        line.put("event", TraceWords.event(event));
        words.details(line, event);
        line.end();
        text.append('\n');
    }

    @Override
    public void end(StringBuilder text, long ns, long events, long lost) {
        new JsonObject(text).put("t", ns).put("event", "end").put("events", events).put("dropped", lost).end();
        text.append('\n');
    }
}
