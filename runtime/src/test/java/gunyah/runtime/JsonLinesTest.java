package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.trace.TraceBuffer;
import gunyah.hyp.trace.TraceKind;
import gunyah.hyp.trace.TraceRecord;
import gunyah.hyp.trace.TraceSink;
import gunyah.memory.Access;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.VmState;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonLinesTest {
    private static final TraceBuffer BUFFER = new TraceBuffer(1, () -> 0);
    private static final int NAME = BUFFER.note("a\\b\n");
    private static final int OFF = BUFFER.note("off");
    private static final int REASON = BUFFER.note("powered off");

    static {
        BUFFER.nameCalls(number -> number == 0 ? "hypervisor_identify" : number == 0x12 ? "doorbell_send" : "");
    }

    private static TraceRecord of(TraceKind kind, int pcpu, int vmid, int vcpu, int detail, long a, long b, long c) {
        return new TraceRecord(9, pcpu, kind.ordinal(), vmid, vcpu, detail, a, b, c);
    }

    private static TraceRecord of(MachineEvent event, int vmid, long a, long b, long c) {
        return new TraceRecord(9, -1, event.kind(), vmid, -1, 0, a, b, c);
    }

    static List<Arguments> events() {
        return Stream.of(
                Arguments.of(of(TraceKind.RUN, 1, 128, 0, 0, 0, 0, 0),
                        "{'t':9,'pcpu':1,'vm':'vm-128','vcpu':0,'event':'run'}"),
                Arguments.of(of(TraceKind.RUN, 1, 128, 0, 0, 1 + (3 << 16 | 2), 0, 0),
                        "{'t':9,'pcpu':1,'vm':'vm-128','vcpu':0,'event':'run','slice-of':'vm-3/vcpu-2'}"),
                Arguments.of(of(TraceKind.STOP, 1, 128, 0, TraceSink.Stop.SLICE_END.ordinal(), 0, 0, 0),
                        "{'t':9,'pcpu':1,'vm':'vm-128','vcpu':0,'event':'stop','reason':'slice-end'}"),
                Arguments.of(of(TraceKind.HYPERCALL, 0, 128, 1, 0, 0x40200004L, 0xc600_8000L, -1),
                        "{'t':9,'pcpu':0,'vm':'vm-128','vcpu':1,'event':'hypercall','pc':'0x40200004',"
                                + "'function':'0xc6008000','name':'hypervisor_identify',"
                                + "'result':'0xffffffffffffffff'}"),
                Arguments.of(of(TraceKind.HYPERCALL, 0, 128, 1, 1, 4, 0x6012, 0),
                        "{'t':9,'pcpu':0,'vm':'vm-128','vcpu':1,'event':'hypercall','pc':'0x4',"
                                + "'function':'0x6012','name':'doorbell_send','result':'0x0'}"),
                Arguments.of(of(TraceKind.HYPERCALL, 0, 128, 0, 0, 4, 0x8400_0008L, 0),
                        "{'t':9,'pcpu':0,'vm':'vm-128','vcpu':0,'event':'hypercall','pc':'0x4',"
                                + "'function':'0x84000008','result':'0x0'}"),
                Arguments.of(of(TraceKind.STAGE2_FAULT, 0, 128, 0, TraceSink.Fault.PAGE_FAULT.ordinal(), 4,
                        0x4020_0ff8L, Access.W), "{'t':9,'pcpu':0,'vm':'vm-128','vcpu':0,'event':'stage2-fault',"
                                + "'pc':'0x4','ipa':'0x40200ff8','access':'w','kind':'page-fault'}"),
                Arguments.of(of(TraceKind.WFI, 0, 3, 0, 0, 0x41000000L, 0, 0),
                        "{'t':9,'pcpu':0,'vm':'vm-3','vcpu':0,'event':'wfi','pc':'0x41000000'}"),
                Arguments.of(of(TraceKind.POWER, -1, 128, 2, TraceSink.Power.KILLED.ordinal(), 0, 0, 0),
                        "{'t':9,'vm':'vm-128','vcpu':2,'event':'power','change':'killed'}"),
                Arguments.of(of(TraceKind.VIRQ, -1, 255, -1, 0, 33, 0, 0),
                        "{'t':9,'vm':'vm-255','event':'virq','intid':33}"),
                Arguments.of(of(TraceKind.VIRQ, -1, -1, 0, 0, 27, 0, 0),
                        "{'t':9,'vm':'none','vcpu':0,'event':'virq','intid':27}"),
                Arguments.of(of(MachineEvent.RM_REQUEST, 3, 0x5600_0004L, 128, 0x14),
                        "{'t':9,'vm':'vm-3','event':'rm-request','id':'0x56000004','message':'VM_START',"
                                + "'target':'vm-128','error':'VM_STATE'}"),
                Arguments.of(of(MachineEvent.RM_REQUEST, 3, 0x5777_0001L, 0, 0x99),
                        "{'t':9,'vm':'vm-3','event':'rm-request','id':'0x57770001','error':'0x99'}"),
                Arguments.of(of(MachineEvent.RM_NOTIFICATION, 3, MessageId.VM_EXITED.id() & 0xFFFF_FFFFL, 0, 0),
                        "{'t':9,'vm':'vm-3','event':'rm-notification','message':'VM_EXITED'}"),
                Arguments.of(of(MachineEvent.VM_STATE, 128, VmState.READY.ordinal(), 0, 0),
                        "{'t':9,'vm':'vm-128','event':'vm-state','state':'READY'}"),
                Arguments.of(of(MachineEvent.LAUNCH, 128, NAME, 0, 0),
                        "{'t':9,'vm':'vm-128','event':'launch','name':'a\\\\b\\u000a'}"),
                Arguments.of(of(MachineEvent.EXIT, 128, OFF, REASON, 0),
                        "{'t':9,'vm':'vm-128','event':'exit','kind':'off','reason':'powered off'}")).toList();
    }

    @ParameterizedTest
    @MethodSource("events")
    void everyEventIsOneObjectOnALine(TraceRecord event, String json) {
        StringBuilder text = new StringBuilder("before\n");

        new JsonLines(BUFFER).event(text, event);

        assertThat(text).hasToString("before\n" + json.replace('\'', '"') + "\n");
    }

    @Test
    void theLastLineSaysHowManyThereAreAndHowManyAreMissing() {
        StringBuilder text = new StringBuilder();

        new JsonLines(BUFFER).end(text, 9, 12, 3);

        assertThat(text).hasToString("{\"t\":9,\"event\":\"end\",\"events\":12,\"dropped\":3}\n");
    }
}
