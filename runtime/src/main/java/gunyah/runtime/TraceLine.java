package gunyah.runtime;

import gunyah.memory.Access;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.RmError;
import java.util.Locale;

/** The JSON form of trace events, one line each. Stateless. */
final class TraceLine {
    private TraceLine() {
    }

    static void append(StringBuilder text, TraceEvent event) {
        JsonObject line = new JsonObject(text).put("t", event.ns());
        switch (event) {
            case TraceEvent.Hypercall e -> hypercall(line, e);
            case TraceEvent.Stage2Fault e -> of(line, "stage2-fault", e.vmid(), e.vcpu()).hex("pc", e.pc())
                    .hex("ipa", e.ipa()).put("access", access(e.access())).put("kind", label(e.fault()));
            case TraceEvent.Idle e -> of(line, "wfi", e.vmid(), e.vcpu()).hex("pc", e.pc());
            case TraceEvent.Power e -> of(line, "power", e.vmid(), e.vcpu()).put("change", label(e.change()));
            case TraceEvent.Virq e -> of(line, "virq", e.vmid(), e.vcpu()).put("intid", e.intid());
            case TraceEvent.RmRequest e -> rmRequest(line, e);
            case TraceEvent.RmNotification e -> of(line, "rm-notification", e.vmid())
                    .put("message", e.message().name());
            case TraceEvent.State e -> of(line, "vm-state", e.vmid()).put("state", e.state().name());
            case TraceEvent.Launch e -> of(line, "launch", e.vmid()).put("name", e.name());
            case TraceEvent.Exit e -> of(line, "exit", e.vmid()).put("kind", e.kind()).put("reason", e.reason());
            case TraceEvent.End e -> line.put("event", "end").put("events", e.events()).put("dropped", e.dropped());
        }
        line.end();
        text.append('\n');
    }

    private static void hypercall(JsonObject line, TraceEvent.Hypercall e) {
        of(line, "hypercall", e.vmid(), e.vcpu()).hex("pc", e.pc()).hex("function", e.function());
        if (!e.name().isEmpty()) {
            line.put("name", e.name());
        }
        line.hex("result", e.result());
    }

    private static void rmRequest(JsonObject line, TraceEvent.RmRequest e) {
        of(line, "rm-request", e.vmid()).hex("id", e.messageId() & 0xFFFF_FFFFL);
        MessageId.of(e.messageId()).ifPresent(id -> line.put("message", id.name()));
        if (e.target() > 0) {
            line.put("target", vm(e.target()));
        }
        line.put("error", RmError.of(e.error()).map(RmError::name).orElseGet(() -> "0x%x".formatted(e.error())));
    }

    private static JsonObject of(JsonObject line, String event, int vmid) {
        return line.put("vm", vm(vmid)).put("event", event);
    }

    private static JsonObject of(JsonObject line, String event, int vmid, int vcpu) {
        line.put("vm", vm(vmid));
        if (vcpu >= 0) {
            line.put("vcpu", vcpu);
        }
        return line.put("event", event);
    }

    private static String vm(int vmid) {
        return vmid < 0 ? "none" : "vm-" + vmid;
    }

    private static String access(int access) {
        return access == Access.X ? "x" : access == Access.W ? "w" : "r";
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
