package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.TraceSink;
import gunyah.memory.Access;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.VmState;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TraceLineTest {
    static List<Arguments> events() {
        return Stream.of(
                Arguments.of(new TraceEvent.Hypercall(7, 128, 1, 0x40200004L, "hypervisor_identify", 0xc600_8000L, -1),
                        "{'t':7,'vm':'vm-128','vcpu':1,'event':'hypercall','pc':'0x40200004','function':'0xc6008000',"
                                + "'name':'hypervisor_identify','result':'0xffffffffffffffff'}"),
                Arguments.of(new TraceEvent.Hypercall(8, 128, 0, 4, "", 0x8400_0008L, 0),
                        "{'t':8,'vm':'vm-128','vcpu':0,'event':'hypercall','pc':'0x4','function':'0x84000008',"
                                + "'result':'0x0'}"),
                Arguments.of(new TraceEvent.Stage2Fault(9, 128, 0, 4, 0x4020_0ff8L, Access.W,
                        TraceSink.Fault.PAGE_FAULT), "{'t':9,'vm':'vm-128','vcpu':0,'event':'stage2-fault',"
                                + "'pc':'0x4','ipa':'0x40200ff8','access':'w','kind':'page-fault'}"),
                Arguments.of(new TraceEvent.Idle(9, 3, 0, 0x41000000L),
                        "{'t':9,'vm':'vm-3','vcpu':0,'event':'wfi','pc':'0x41000000'}"),
                Arguments.of(new TraceEvent.Power(9, 128, 2, TraceSink.Power.KILLED),
                        "{'t':9,'vm':'vm-128','vcpu':2,'event':'power','change':'killed'}"),
                Arguments.of(new TraceEvent.Virq(9, 255, -1, 33), "{'t':9,'vm':'vm-255','event':'virq','intid':33}"),
                Arguments.of(new TraceEvent.Virq(9, -1, 0, 27), "{'t':9,'vm':'none','vcpu':0,'event':'virq',"
                        + "'intid':27}"),
                Arguments.of(new TraceEvent.RmRequest(9, 3, 0x5600_0004, 128, 0x14),
                        "{'t':9,'vm':'vm-3','event':'rm-request','id':'0x56000004','message':'VM_START',"
                                + "'target':'vm-128','error':'VM_STATE'}"),
                Arguments.of(new TraceEvent.RmRequest(9, 3, 0x5777_0001, 0, 0x99),
                        "{'t':9,'vm':'vm-3','event':'rm-request','id':'0x57770001','error':'0x99'}"),
                Arguments.of(new TraceEvent.RmNotification(9, 3, MessageId.VM_EXITED),
                        "{'t':9,'vm':'vm-3','event':'rm-notification','message':'VM_EXITED'}"),
                Arguments.of(new TraceEvent.State(9, 128, VmState.READY),
                        "{'t':9,'vm':'vm-128','event':'vm-state','state':'READY'}"),
                Arguments.of(new TraceEvent.Launch(9, 128, "a\\b\n"),
                        "{'t':9,'vm':'vm-128','event':'launch','name':'a\\\\b\\u000a'}"),
                Arguments.of(new TraceEvent.Exit(9, 128, "off", "powered off"),
                        "{'t':9,'vm':'vm-128','event':'exit','kind':'off','reason':'powered off'}"),
                Arguments.of(new TraceEvent.End(9, 12, 3), "{'t':9,'event':'end','events':12,'dropped':3}")).toList();
    }

    @ParameterizedTest
    @MethodSource("events")
    void everyEventIsOneObjectOnALine(TraceEvent event, String json) {
        StringBuilder text = new StringBuilder("before\n");

        TraceLine.append(text, event);

        assertThat(text).hasToString("before\n" + json.replace('\'', '"') + "\n");
    }
}
