package gunyah.vmm.driver;

import static gunyah.rm.rpc.MessageId.MEM_LEND;
import static gunyah.rm.rpc.MessageId.MEM_RECLAIM;
import static gunyah.rm.rpc.MessageId.VM_ALLOC_VMID;
import static gunyah.rm.rpc.MessageId.VM_CONFIG_IMAGE;
import static gunyah.rm.rpc.MessageId.VM_DEALLOC_VMID;
import static gunyah.rm.rpc.MessageId.VM_GET_HYP_RESOURCES;
import static gunyah.rm.rpc.MessageId.VM_INIT;
import static gunyah.rm.rpc.MessageId.VM_RESET;
import static gunyah.rm.rpc.MessageId.VM_SET_ADDRESS_LAYOUT;
import static gunyah.rm.rpc.MessageId.VM_SET_BOOT_CONTEXT;
import static gunyah.rm.rpc.MessageId.VM_SET_DEMAND_PAGING;
import static gunyah.rm.rpc.MessageId.VM_START;
import static gunyah.rm.rpc.MessageId.VM_STATUS;
import static gunyah.rm.rpc.MessageId.VM_STOP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.WireWriter;
import gunyah.vmm.Scenario;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The start and teardown sequences as the Resource Manager sees them. */
class VmLifecycleTest {
    private static final List<MessageId> START = List.of(VM_ALLOC_VMID, MEM_LEND, VM_CONFIG_IMAGE,
            VM_SET_DEMAND_PAGING, VM_SET_ADDRESS_LAYOUT, VM_INIT, VM_SET_BOOT_CONTEXT, VM_GET_HYP_RESOURCES, VM_START);

    private final FakeHost host = new FakeHost();
    private final GunyahVm vm = host.vm();

    @AfterEach
    void shutDown() {
        host.close();
    }

    private List<MessageId> afterStart() {
        List<MessageId> all = host.rm.received();
        return all.subList(START.size(), all.size());
    }

    @Test
    void startIsExactlyTheNineSteps() {
        FakeHost.get(vm.start());

        assertThat(host.rm.received()).isEqualTo(START);
        assertThat(vm.status()).isEqualTo(VmStatus.RUNNING);
        assertThat(vm.vmid()).isEqualTo(FakeRm.VMID);
        HexFormat hex = HexFormat.of();
        assertThat(hex.formatHex(host.rm.payload(VM_CONFIG_IMAGE))).isEqualTo("800000004d000000"
                + "0000000000000000" + "0000000000000000" + "0000000000000000" + "0000010000000000");
        assertThat(hex.formatHex(host.rm.payload(VM_SET_DEMAND_PAGING)))
                .isEqualTo("8000000001000000" + "0000004000000000" + "0000100000000000");
        assertThat(hex.formatHex(host.rm.payload(VM_SET_ADDRESS_LAYOUT)))
                .isEqualTo("8000000000000000" + "00000f4000000000" + "0000010000000000");
    }

    @Test
    void startingARunningVmAgainIsNoErrorAndNoTraffic() {
        FakeHost.get(vm.start());
        FakeHost.get(vm.start());

        assertThat(host.rm.received()).isEqualTo(START);
    }

    @Test
    void twoStartersShareOneSequence() {
        CompletionStage<Void> first = vm.start();
        CompletionStage<Void> second = vm.start();
        FakeHost.get(first);
        FakeHost.get(second);

        assertThat(host.rm.received()).isEqualTo(START);
    }

    @Test
    void withoutDeviceTreeTheStartFailsForGood() {
        vm.setDtb(0x4000_0000L, 0);

        assertThatThrownBy(() -> FakeHost.get(vm.start())).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> FakeHost.get(vm.start())).hasMessageContaining("ENODEV");
        assertThat(vm.status()).isEqualTo(VmStatus.LOAD);
        FakeHost.get(vm.close());

        assertThat(host.rm.received()).containsExactly(VM_ALLOC_VMID, VM_DEALLOC_VMID);
    }

    @Test
    void closingARunningVmStopsTakesBackResetsAndDeallocates() {
        vm.addVcpu(0);
        FakeHost.get(vm.start());
        vm.memory().fault(0x4000_0000L, true);

        FakeHost.get(vm.close());

        assertThat(afterStart()).containsExactly(VM_STOP, VM_RESET, VM_DEALLOC_VMID);
        assertThat(FakeHost.get(vm.exited()).type()).isEqualTo(Uapi.EXIT_TYPE_VM_FORCE_STOPPED);
        assertThat(vm.pagesLent()).isEqualTo(17);
        assertThat(vm.pagesReturned()).isEqualTo(17);
    }

    @Test
    void aGuestThatEndedIsNotStopped() {
        FakeHost.get(vm.start());
        host.rm.exited(Uapi.EXIT_TYPE_PSCI_OFF);
        assertThat(FakeHost.get(vm.exited()).type()).isEqualTo(Uapi.EXIT_TYPE_PSCI_OFF);

        FakeHost.get(vm.close());

        assertThat(afterStart()).containsExactly(VM_RESET, VM_DEALLOC_VMID);
    }

    @Test
    void aGuestThatEndsBeforeTheAnswerToStartStaysEnded() {
        host.rm.before(VM_START, () -> host.rm.exited(Uapi.EXIT_TYPE_PSCI_RESET));

        FakeHost.get(vm.start());

        assertThat(vm.status()).isEqualTo(VmStatus.EXITED);
        FakeHost.get(vm.close());
        assertThat(afterStart()).containsExactly(VM_RESET, VM_DEALLOC_VMID);
        assertThat(vm.pagesReturned()).isEqualTo(vm.pagesLent()).isEqualTo(16);
    }

    @ParameterizedTest
    @EnumSource(names = {"MEM_LEND", "VM_CONFIG_IMAGE", "VM_SET_DEMAND_PAGING", "VM_SET_ADDRESS_LAYOUT", "VM_INIT",
            "VM_SET_BOOT_CONTEXT", "VM_GET_HYP_RESOURCES", "VM_START"})
    void aStepThatFailsLeavesNothingBehind(MessageId step) {
        host.rm.refuse(step, RmError.NOMEM);
        int before = host.device().usedHostPages();

        assertThatThrownBy(() -> FakeHost.get(vm.start())).hasMessageContaining("ENOMEM");
        FakeHost.get(vm.close());

        boolean lent = step != MEM_LEND;
        boolean initialised = START.indexOf(step) >= START.indexOf(VM_INIT);
        List<MessageId> all = host.rm.received();
        List<MessageId> teardown = all.subList(START.indexOf(step) + 1, all.size());
        assertThat(teardown).isEqualTo(!lent ? List.of(VM_DEALLOC_VMID)
                : initialised ? List.of(MEM_RECLAIM, VM_RESET, VM_DEALLOC_VMID)
                : List.of(MEM_RECLAIM, VM_DEALLOC_VMID));
        assertThat(vm.pagesReturned()).isEqualTo(vm.pagesLent());
        assertThat(before).isLessThanOrEqualTo(host.device().usedHostPages());
    }

    @Test
    void aRefusedVmidLeavesTheVmAsItWas() {
        host.rm.refuse(VM_ALLOC_VMID, RmError.NORESOURCE);
        assertThatThrownBy(() -> FakeHost.get(vm.start())).hasMessageContaining("ENODEV");
        assertThat(vm.status()).isEqualTo(VmStatus.NO_STATE);

        host.rm.refuse(VM_ALLOC_VMID, RmError.OK);
        assertThatThrownBy(() -> FakeHost.get(vm.start())).hasMessageContaining("EBADMSG");
        FakeHost.get(vm.close());

        assertThat(host.rm.received()).containsExactly(VM_ALLOC_VMID, VM_ALLOC_VMID);
    }

    @Test
    void aResetThatIsRefusedDoesNotHangTheTeardown() {
        FakeHost.get(vm.start());
        host.rm.refuse(VM_RESET, RmError.DENIED);

        FakeHost.get(vm.close());

        assertThat(afterStart()).containsExactly(VM_STOP, VM_RESET, VM_DEALLOC_VMID);
    }

    @Test
    void notificationsForOthersOrTooShortChangeNothing() {
        FakeHost.get(vm.start());

        host.rm.notify(MessageId.VM_EXITED, new byte[3]);
        host.rm.notify(MessageId.VM_EXITED, new WireWriter().u16(0x99).u16(1).u32(0).toBytes());
        host.rm.notify(VM_STATUS, new WireWriter().u16(0x99).u16(0).u8(11).u8(0).u16(0).toBytes());
        assertThat(FakeHost.get(host.device().ownVmid())).isEqualTo(3);

        assertThat(vm.status()).isEqualTo(VmStatus.RUNNING);
    }

    @Test
    void bootRegistersAreCheckedAndTheLastValueOfEachIsSentInOrder() {
        vm.setBootRegister(2 << 8, 0x30);
        vm.setBootRegister(Uapi.REG_PC, 0x20);
        vm.setBootRegister(31, 0x10);

        assertThat(vm.bootRegisters()).containsExactly(Map.entry(31, 0x10L),
                Map.entry(Uapi.REG_PC, 0x20L), Map.entry(2 << 8, 0x30L));
        for (int register : new int[] {32, 1 << 8 | 1, 2 << 8 | 3, 3 << 8}) {
            assertThatThrownBy(() -> vm.setBootRegister(register, 0)).hasMessageContaining("EINVAL");
        }
        FakeHost.get(vm.start());
        assertThatThrownBy(() -> vm.setBootRegister(0, 0)).hasMessageContaining("EINVAL");
    }

    @Test
    void aFunctionCanBeAddedOnceRemovedAndAddedAgain() {
        GunyahVcpu first = vm.addVcpu(0);
        assertThatThrownBy(() -> vm.addVcpu(0)).hasMessageContaining("EEXIST");
        FakeHost.get(vm.removeVcpu(0));
        assertThatThrownBy(first::run).hasMessageContaining("ENODEV");
        vm.addVcpu(0);

        assertThatThrownBy(() -> vm.removeVcpu(500)).hasMessageContaining("ENOENT");
    }

    @Test
    void anInterruptLineRingsItsDoorbellOnlyWhileTheVmHasIt() {
        IrqFd line = vm.addIrqFd(1, true);
        line.signal();
        FakeHost.get(vm.start());
        host.gunyah.takeCalls();

        line.signal();

        assertThat(host.gunyah.takeCalls()).containsExactly(
                FakeGunyah.Call.of(Hvc.BELL_SEND, FakeRm.BELL_CAP, 1, 0, 0, 0, 0, 0));
        FakeHost.get(vm.removeIrqFd(1));
        line.signal();
        assertThat(host.gunyah.takeCalls()).isEmpty();
    }

    @Test
    @Scenario(61)
    void aSecondResourceOfOneVcpuStaysUnclaimed() {
        vm.addVcpu(9);
        Resource first = new Resource(ResourceType.VCPU.value(), 9, 0x99, 900);
        Resource second = new Resource(ResourceType.VCPU.value(), 9, 0x9a, 901);

        vm.tickets().offer(first);
        vm.tickets().offer(second);

        assertThat(vm.tickets().unclaimed()).containsExactly(second);
        FakeHost.get(vm.removeVcpu(9));
        assertThat(vm.tickets().unclaimed()).containsExactly(second, first);
    }

    @Test
    void aDeviceTreeAddressThatWrapsOverflows() {
        assertThatThrownBy(() -> vm.setDtb(-4096, 8192)).hasMessageContaining("EOVERFLOW");
    }
}
