package gunyah.runtime;

import gunyah.hyp.trace.TraceBuffer;
import gunyah.hyp.trace.TraceKind;
import gunyah.hyp.trace.TraceRecord;
import gunyah.hyp.trace.TraceSink;
import gunyah.memory.Access;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.VmState;
import java.util.Locale;

/** The fields of a record by name, in words, as docs/trace.md lists them. */
record TraceWords(TraceBuffer buffer) {
    private static final int NATIVE_FIRST = 0x6000;
    private static final int SMCCC_NUMBER = 0x3FFF;
    private static final long SMCCC_HYPERCALL = 0xC600_8000L;
    private static final TraceSink.Stop[] STOPS = TraceSink.Stop.values();
    private static final TraceSink.Fault[] FAULTS = TraceSink.Fault.values();
    private static final TraceSink.Power[] POWERS = TraceSink.Power.values();
    private static final VmState[] STATES = VmState.values();

    /** {@return the value of the field {@code event}} */
    static String event(TraceRecord record) {
        TraceKind kind = TraceKind.of(record.kind());
        return label(kind == null ? MachineEvent.of(record.kind()) : kind);
    }

    static String vm(int vmid) {
        return vmid < 0 ? "none" : "vm-" + vmid;
    }

    /** {@return the vCPU on whose slice it runs, empty when that is its own} */
    static String lender(TraceRecord run) {
        long lender = run.a() - 1;
        return lender < 0 ? "" : "vm-%d/vcpu-%d".formatted(lender >> 16, lender & 0xFFFF);
    }

    static String stop(TraceRecord record) {
        return label(STOPS[record.detail()]);
    }

    /** Adds what belongs to the kind. */
    void details(JsonObject json, TraceRecord event) {
        TraceKind kind = TraceKind.of(event.kind());
        if (kind == null) {
            details(json, MachineEvent.of(event.kind()), event);
            return;
        }
        switch (kind) {
            case RUN -> putIfAny(json, "slice-of", lender(event));
            case STOP -> json.put("reason", stop(event));
            case HYPERCALL -> {
                json.hex("pc", event.a()).hex("function", event.b());
                putIfAny(json, "name", callName(event));
                json.hex("result", event.c());
            }
            case STAGE2_FAULT -> json.hex("pc", event.a()).hex("ipa", event.b()).put("access", access((int) event.c()))
                    .put("kind", label(FAULTS[event.detail()]));
            case WFI -> json.hex("pc", event.a());
            case POWER -> json.put("change", label(POWERS[event.detail()]));
            case VIRQ -> json.put("intid", event.a());
        }
    }

    private void details(JsonObject json, MachineEvent kind, TraceRecord event) {
        switch (kind) {
            case RM_REQUEST -> {
                json.hex("id", event.a());
                MessageId.of((int) event.a()).ifPresent(id -> json.put("message", id.name()));
                if (event.b() > 0) {
                    json.put("target", vm((int) event.b()));
                }
                json.put("error", RmError.of((int) event.c()).map(RmError::name)
                        .orElseGet(() -> "0x%x".formatted(event.c())));
            }
            case RM_NOTIFICATION -> json.put("message", message(event));
            case VM_STATE -> json.put("state", STATES[(int) event.a()].name());
            case LAUNCH -> json.put("name", buffer.note(event.a()));
            case EXIT -> json.put("kind", buffer.note(event.a())).put("reason", buffer.note(event.b()));
        }
    }

    /** {@return a short name for people} */
    String title(TraceRecord event) {
        TraceKind kind = TraceKind.of(event.kind());
        if (kind == null) {
            return switch (MachineEvent.of(event.kind())) {
                case RM_REQUEST, RM_NOTIFICATION -> message(event);
                case VM_STATE -> STATES[(int) event.a()].name();
                case LAUNCH -> "launch " + buffer.note(event.a());
                case EXIT -> "exit: " + buffer.note(event.a());
            };
        }
        return switch (kind) {
            case HYPERCALL -> callName(event).isEmpty() ? "call 0x%x".formatted(event.b()) : callName(event);
            case STAGE2_FAULT -> label(FAULTS[event.detail()]);
            case POWER -> label(POWERS[event.detail()]);
            case VIRQ -> "virq " + event.a();
            case RUN, STOP, WFI -> label(kind);
        };
    }

    private static String message(TraceRecord event) {
        return MessageId.of((int) event.a()).map(MessageId::name).orElseGet(() -> "0x%x".formatted(event.a()));
    }

    private String callName(TraceRecord call) {
        long function = call.b();
        if (call.detail() != 0) {
            return buffer.callName((int) function - NATIVE_FIRST);
        }
        return (function & ~SMCCC_NUMBER) == SMCCC_HYPERCALL ? buffer.callName((int) function & SMCCC_NUMBER) : "";
    }

    private static void putIfAny(JsonObject json, String field, String value) {
        if (!value.isEmpty()) {
            json.put(field, value);
        }
    }

    private static String access(int access) {
        return access == Access.X ? "x" : access == Access.W ? "w" : "r";
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
