package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.hyp.ObjectState;
import gunyah.hyp.ObjectType;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireReader;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the primary VM has when it starts, on the real hypervisor: memory, tree, lines, link, and a say over the root VM. */
class PrimaryVmTest {
    private static final long RAM = 0x4000_0000L;
    private static final long ENTRY = RAM + (16L << 20);
    private static final long MEMORY = 256L << 20;
    private static final long RM_SIZE = 8L << 20;
    private static final int ROOT = 255;
    private static final int SET_AFFINITY = 0x3d;
    private static final int SET_PRIORITY = 0x46;
    private static final int FIRST_HARDWARE_LINE = 48;
    private static final int HARDWARE_LINES = 32;

    private static final long CPU_OFF = 0x8400_0002L;
    private static final long CPU_ON = 0xC400_0003L;
    private static final long AFFINITY_INFO = 0xC400_0004L;
    private static final int INVALID_PARAMETERS = -2;
    private static final long DENIED = 0xFFFF_FFFDL;
    private static final int ALREADY_ON = -4;

    private static final String PINNED_CRITICAL_OF_THE_HOST = "0x8000000000000101";

    private final RealHost host = new RealHost(2, MEMORY);

    @AfterEach
    void stop() {
        host.close();
    }

    private byte[] read(long ipa, int size) {
        byte[] bytes = new byte[size];
        host.port.read(ipa, bytes, 0, size);
        return bytes;
    }

    @Test
    void itHasAllMemoryButTheRootVmsAtItsPhysicalAddresses() {
        long end = RAM + MEMORY - RM_SIZE;
        for (long ipa : new long[] {RAM, end - 8}) {
            host.port.write(ipa, new byte[] {7, 0, 0, 0, 0, 0, 0, 9}, 0, 8);
            assertThat(host.read(ipa)).isEqualTo(0x0900_0000_0000_0007L);
        }
        for (long ipa : new long[] {RAM - 0x1000, end, end + RM_SIZE - 0x1000, 0x3000_0000L}) {
            assertThatThrownBy(() -> read(ipa, 1)).as("%x", ipa).isInstanceOf(ExternalAbort.class);
        }
    }

    @Test
    void everyHardwareInterruptComesAtTheLineOfItsNumber() {
        host.fired.clear();
        for (int line = FIRST_HARDWARE_LINE; line < FIRST_HARDWARE_LINE + HARDWARE_LINES; line++) {
            host.hypervisor.hardwareLine(line).raise();
            host.awaitFired(line);
            // the Resource Manager's queues may have had something to say
            assertThat(host.fired).filteredOn(fired -> fired >= FIRST_HARDWARE_LINE
                    && fired < FIRST_HARDWARE_LINE + HARDWARE_LINES).hasSize(line - FIRST_HARDWARE_LINE + 1);
        }
    }

    @Test
    void itRunsFromTheBeginningAndBelongsToTheResourceManager() {
        assertThat(new WireReader(host.ok(MessageId.VM_GET_VMID, new Nothing())).u32()).isEqualTo(3);
        assertThat(new WireReader(host.ok(MessageId.VM_GET_OWNER, new Nothing())).u32()).isEqualTo(ROOT);
        assertThat(host.ok(MessageId.VM_GET_STATE, new VmRequest(0))).as("RUNNING").containsExactly(3, 0, 0, 0);
        // News come before the answer to a later request.
        assertThat(host.told()).as("it was not told that it runs").isEmpty();
    }

    @Test
    void itsFirstVcpuStartsTheOthersOfItsGroup() {
        assertThat(host.awaitBoot()).isEqualTo(new RealHost.Boot(0, ENTRY, host.tree()));
        assertThat(host.smccc(AFFINITY_INFO, 0, 0)).as("on").isZero();
        assertThat(host.smccc(AFFINITY_INFO, 1, 0)).as("off").isEqualTo(1);
        assertThat(host.smccc(CPU_OFF)).as("it is the last one").isEqualTo(DENIED);

        assertThat(host.smccc(CPU_ON, 1, RAM + 0x1000, 55)).isZero();

        assertThat(host.awaitBoot()).isEqualTo(new RealHost.Boot(1, RAM + 0x1000, 55));
        assertThat(host.smccc(AFFINITY_INFO, 1, 0)).as("on").isZero();
        assertThat(host.smccc(CPU_ON, 1, RAM, 0)).isEqualTo(ALREADY_ON);
        assertThat(host.smccc(CPU_ON, 2, RAM, 0)).as("there are two").isEqualTo(INVALID_PARAMETERS);
    }

    @Test
    void itAndTheRootVmHaveAllLinesThatTheProfileHandsOut() {
        List<String> controllers = host.hypervisor.state().objects().stream()
                .filter(object -> object.type() == ObjectType.VIC).map(ObjectState::text).toList();

        assertThat(controllers).hasSize(2).allSatisfy(text ->
                assertThat(text.lines()).as("988 + 1024 lines").contains("virqs.max 0x7dc"));
    }

    @Test
    void eachOfItsVcpusHasAPhysicalCpuOfItsOwn() {
        List<String> vcpus = host.hypervisor.state().objects().stream()
                .filter(object -> object.type() == ObjectType.THREAD && object.text().contains("VPM_GROUP"))
                .map(ObjectState::text).toList();

        assertThat(vcpus).hasSize(2);
        for (int index = 0; index < 2; index++) {
            assertThat(vcpus.get(index).lines()).contains("options " + PINNED_CRITICAL_OF_THE_HOST, "priority 0x20",
                    "timeslice_ns 0x4c4b40", "affinity 0x" + index, "vic.index 0x" + index, "group.index 0x" + index);
        }
    }

    @Test
    void itHasTheRightToPlaceTheRootVmAndNoOther() {
        List<HypResource> resources = HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(ROOT)));
        assertThat(resources).hasSize(1);
        HypResource vcpu = resources.getFirst();
        assertThat(vcpu.type()).isEqualTo(ResourceType.VCPU.value());

        assertThat(HypError.of(host.call(SET_AFFINITY, vcpu.capId(), 1, -1)[0])).as("pinned, but the right is there")
                .isNotEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(HypError.of(host.call(SET_PRIORITY, vcpu.capId(), 1)[0]))
                .isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(host.ok(MessageId.VM_GET_VMID, new Nothing())).as("it still answers").isNotEmpty();
    }

    @Test
    void itsTreeNamesHypervisorAndManagerAsBothGenerationsOfDriversExpect() {
        DtNode root = Fdt.parse(read(host.tree(), 0x1_0000)).root();
        DtNode hypervisor = root.child("hypervisor").orElseThrow();
        assertThat(hypervisor.strings("compatible")).containsExactly("gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0",
                "qcom,gunyah-hypervisor", "simple-bus");
        assertThat(hypervisor.cell("#address-cells")).contains(2);
        assertThat(hypervisor.cell("#size-cells")).contains(0);
        assertThat(hypervisor.child("qcom,gunyah-vm").orElseThrow().cell("qcom,vmid")).contains(3);
        DtNode manager = hypervisor.child("gunyah-resource-mgr").orElseThrow();
        assertThat(manager.strings("compatible")).containsExactly("gunyah-resource-manager",
                "qcom,resource-manager-1-0", "qcom,resource-manager");
        int[] reg = manager.cells("reg").orElseThrow();
        assertThat(reg).hasSize(4);
        assertThat(manager.name()).isEqualTo("gunyah-resource-mgr@%x".formatted(DtNode.number(reg, 0, 2)));
        int[] lines = manager.cells("interrupts").orElseThrow();
        assertThat(List.of(lines[2], lines[5])).as("edges").containsExactly(1, 1);
        assertThat(lines[1]).isNotEqualTo(lines[4]);
        assertThat(manager.has("qcom,is-full-duplex")).isTrue();
        for (String way : List.of("tx", "rx")) {
            assertThat(manager.cell("qcom," + way + "-message-size")).contains(240);
            assertThat(manager.cell("qcom," + way + "-queue-depth")).contains(8);
        }
        assertThat(manager.cell("qcom,free-irq-start")).contains(32);
    }
}
