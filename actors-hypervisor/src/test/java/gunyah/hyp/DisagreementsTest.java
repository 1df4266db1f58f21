package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where the documents of the original and its code disagree, and no test of an object says what we do. */
@Tag("guest")
class DisagreementsTest {
    private static final long WAKE_UP = 1;
    private static final int GROUP_VIRQ = 90;
    private static final int AFFINITY = 2;
    private static final long CPU_SUSPEND = 0xC400_0001L;
    private static final long SYSTEM_OFF = 0x8400_0008L;
    private static final long POWERED_OFF = 2;
    private static final long EXPECTS_WAKEUP = 1;

    private final TestMachine machine = new TestMachine();

    @AfterEach
    void stop() {
        machine.close();
    }

    private HypError error(int number, long... inputs) {
        return HypError.of(machine.tryCall(number, inputs)[0]);
    }

    @Test
    void unbindingTheWakeUpInterruptLeavesTheVcpuToItsProxy() {
        GuestAccesses guest = new GuestAccesses(machine);

        machine.call(0x5D, guest.guest.vcpus[0], WAKE_UP, 0);

        // scheduled by the hypervisor it would run by itself, and vcpu_run would answer BUSY
        assertThat(guest.acknowledge()).isEqualTo(1023);
    }

    @Test
    void theInterruptOfAGroupIsNeverAsserted() {
        GuestCalls calls = GuestCalls.start(machine, 1);
        machine.call(0x43, calls.guest.group, machine.hostVic, GROUP_VIRQ, 0);
        assertThat(machine.call(0x45, calls.guest.group)[1]).isEqualTo(1);

        assertThat(calls.callUntilExit(CPU_SUSPEND, 0, 0, 0)).startsWith(0, EXPECTS_WAKEUP);
        assertThat(machine.call(0x45, calls.guest.group)[1]).isEqualTo(2);
        machine.call(0x5D, calls.guest.vcpus[0], WAKE_UP, 0);

        assertThat(machine.hostInterrupts).doesNotContain(GROUP_VIRQ);
    }

    @Test
    void aVmThatPowersOffDoesNotAssertTheInterruptOfItsGroup() {
        GuestCalls calls = GuestCalls.start(machine, 1);
        machine.call(0x43, calls.guest.group, machine.hostVic, GROUP_VIRQ, 0);

        assertThat(calls.callUntilExit(SYSTEM_OFF)).startsWith(0, POWERED_OFF);

        assertThat(machine.hostInterrupts).contains(TestMachine.HALT_VIRQ).doesNotContain(GROUP_VIRQ);
        machine.call(0x44, calls.guest.group, 0);
    }

    @Test
    void theCpuNoneIsSixteenBitsWide() {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1, 0x1400_0000);
        long cspace = machine.env.cspaceCap();
        long mayMove = machine.call(0x23, cspace, guest.vcpus[0], cspace, AFFINITY)[1];

        assertThat(error(0x3D, mayMove, 0xFFFF, -1)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(error(0x3D, mayMove, -1, -1)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(error(0x3D, mayMove, 0x7_FFFF, -1)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(error(0x3D, mayMove, 0x7_0000, -1)).isEqualTo(HypError.OK);
    }

    @Test
    void aVmidHasSixteenBits() {
        for (int vmid : new int[] {256, 0xFFFF}) {
            long addrspace = machine.create(0x03);
            machine.call(0x2E, addrspace, vmid, 0);
            machine.activate(addrspace);
        }
        assertThat(error(0x2E, machine.create(0x03), 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
    }
}
