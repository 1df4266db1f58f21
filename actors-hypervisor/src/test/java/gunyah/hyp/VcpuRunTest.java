package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The states of vcpu_run, resume actions, wake-ups, PSCI and timers, with guests of a few instructions. */
@Tag("guest")
class VcpuRunTest {
    private static final long READY = 0;
    private static final long EXPECTS_WAKEUP = 1;
    private static final long POWERED_OFF = 2;
    private static final long VMMIO_READ = 4;
    private static final long VMMIO_WRITE = 5;
    private static final long PAGE_FAULT = 7;
    private static final long PSCI_SYSTEM_RESET = 0x100;
    private static final long ACTION_RETRY = 1;
    private static final long UART = TestMachine.VMMIO_BASE;

    private static final int[] COUNTS_FOR_EVER = {
            0xD280_0006, // mov x6, #0
            0x9100_04C6, // add x6, x6, #1
            0x17FF_FFFF, // b .-4
    };

    private static final int[] FAULTS = {
            0xD2A8_0401, // movz x1, #0x4020, lsl #16
            0xF940_0422, // ldr x2, [x1, #8]
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_00A2, // str x2, [x5]
            0x39C0_04A6, // ldrsb w6, [x5, #1]
            0xF900_04A6, // str x6, [x5, #8]
            0x7980_04A6, // ldrsh x6, [x5, #2]
            0xF900_04A6, // str x6, [x5, #8]
            0xA900_10A3, // stp x3, x4, [x5]
            0x1400_0000, // b .
    };

    private static final int[] STARTS_A_SECONDARY = {
            0xD280_0060, // movz x0, #3
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD280_0021, // mov x1, #1
            0xD2A8_0002, // movz x2, #0x4000, lsl #16
            0x9104_0042, // add x2, x2, #0x100
            0xD280_09A3, // mov x3, #77
            0xD400_0002, // hvc #0
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_00A0, // str x0, [x5]
            0xD280_0060, // movz x0, #3
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD400_0002, // hvc #0
            0xF900_00A0, // str x0, [x5]
            0xD280_0080, // movz x0, #4
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD280_0021, // mov x1, #1
            0xD280_0002, // mov x2, #0
            0xD400_0002, // hvc #0
            0xF900_00A0, // str x0, [x5]
            0xD280_0240, // movz x0, #0x12
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD280_00A1, // mov x1, #5
            0xD280_0122, // mov x2, #9
            0xD400_0002, // hvc #0
            0x1400_0000, // b .
    };

    private static final int[] SECONDARY = {
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_08A0, // str x0, [x5, #16]
            0xD538_00A1, // mrs x1, mpidr_el1
            0xF900_08A1, // str x1, [x5, #16]
            0x5280_0040, // movz w0, #2
            0x72B0_8000, // movk w0, #0x8400, lsl #16
            0xD400_0002, // hvc #0
            0xF900_08A0, // str x0, [x5, #16]
    };

    private static final int[] POWERS_OFF = {
            0x5280_0100, // movz w0, #8
            0x72B0_8000, // movk w0, #0x8400, lsl #16
            0xD400_0002, // hvc #0
            0x1400_0000, // b .
    };

    private static final int[] WAITS_FOR_ITS_TIMER = {
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xD2A1_0141, // movz x1, #0x80a, lsl #16
            0xB900_143F, // str wzr, [x1, #0x14]        GICR_WAKER
            0x9140_4021, // add x1, x1, #0x10, lsl #12
            0x1280_0002, // mov w2, #-1
            0xB900_8022, // str w2, [x1, #0x80]         GICR_IGROUPR0
            0x52A1_0002, // mov w2, #0x8000000
            0xB901_0022, // str w2, [x1, #0x100]        GICR_ISENABLER0: PPI 27
            0xD2A1_0001, // movz x1, #0x800, lsl #16
            0x5280_0262, // mov w2, #0x13
            0xB900_0022, // str w2, [x1]                GICD_CTLR
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD53B_E043, // mrs x3, cntvct_el0
            0x917F_D063, // add x3, x3, #0xff4, lsl #12  0.27 s: later than the WFI on a busy host, too
            0xD51B_E343, // msr cntv_cval_el0, x3
            0xD51B_E322, // msr cntv_ctl_el0, x2
            0xD503_207F, // wfi
            0xD53B_E044, // mrs x4, cntvct_el0
            0xD538_CC00, // mrs x0, icc_iar1_el1
            0xF900_00A0, // str x0, [x5]
            0xEB03_0084, // subs x4, x4, x3
            0x9A9F_37E4, // cset x4, cs
            0xF900_00A4, // str x4, [x5]
            0xD51B_E33F, // msr cntv_ctl_el0, xzr
            0xD518_CC20, // msr icc_eoir1_el1, x0
            0xD538_CC00, // mrs x0, icc_iar1_el1
            0xF900_00A0, // str x0, [x5]
            0xD503_207F, // wfi
            0x1400_0000, // b .
    };

    private TestMachine machine;

    @BeforeEach
    void start() {
        machine = new TestMachine();
    }

    @AfterEach
    void stop() {
        if (machine != null) {
            machine.close();
        }
    }

    private TestMachine.Guest guest(int vcpus, int... program) {
        return machine.new Guest(TestMachine.GUEST, vcpus, program);
    }

    private void awaitHostInterrupt(int intid) {
        await().pollInterval(Duration.ofMillis(2)).atMost(60, TimeUnit.SECONDS)
                .until(() -> machine.hostInterrupts.remove(intid));
    }

    @Test
    @Invariant(29)
    void aVcpuThatIsOffSaysSoAndWakesTheHostAtPowerOn() {
        TestMachine.Guest guest = guest(1, COUNTS_FOR_EVER);

        assertThat(guest.run()).startsWith(0, POWERED_OFF, 0, 0, 0);
        guest.powerOn();

        awaitHostInterrupt(TestMachine.WAKEUP_VIRQ);
    }

    @Test
    void theSliceEndOrAnInterruptOfTheHostReturnsReady() {
        TestMachine.Guest guest = guest(1, COUNTS_FOR_EVER);
        guest.powerOn();

        // The wake-up that hands the task over may come late and end the run before it began: that is READY, too.
        await().atMost(60, TimeUnit.SECONDS).until(() -> {
            long[] result = machine.host.submit(context -> {
                long[] x = {guest.hostCaps[0], 0, 0, 0, 0, 0, 0, 0};
                context.port().call(0x65, x);
                return x;
            });
            assertThat(result).startsWith(0, READY, 0, 0, 0);
            return machine.hypervisor.statistics(TestMachine.GUEST).getFirst().runNs() > 0;
        });
    }

    @Test
    @Invariant(32)
    void noInstructionIsLostOrRepeatedAcrossPreemption() {
        TestMachine.Guest guest = guest(1, COUNTS_FOR_EVER);
        guest.powerOn();
        int ended = 0;
        do {
            machine.host.submit(context -> {
                long[] x = {guest.hostCaps[0], 0, 0, 0, 0, 0, 0, 0};
                context.port().call(0x65, x);
                return x;
            });
            ended++;
        } while (ended < 3 || machine.hypervisor.statistics(TestMachine.GUEST).getFirst().retired() == 0);

        VcpuDescription stopped = machine.hypervisor.describeVcpus(TestMachine.GUEST).getFirst();
        long retired = machine.hypervisor.statistics(TestMachine.GUEST).getFirst().retired();

        long additions = stopped.x().get(6);
        long branches = retired - 1 - additions;
        assertThat(additions - branches).isEqualTo(stopped.pc() == TestMachine.RAM + 4 ? 0 : 1);
    }

    @Test
    @Invariant(28)
    void aPageFaultIsRetriedAfterTheHostMappedThePage() {
        TestMachine.Guest guest = guest(1, FAULTS);
        machine.call(0x60, guest.addrspace, 0x4020_0000L, 0x20_0000, 2);
        guest.powerOn();

        assertThat(guest.run()).startsWith(0, PAGE_FAULT, 0x4020_0000L, 0, 0);
        assertThat(guest.run(ACTION_RETRY, 0, 0)).startsWith(0, PAGE_FAULT, 0x4020_0000L, 0, 0);
        machine.write(TestMachine.GUEST_PA + 0x1008, 0x1234_5678, 0);
        machine.map(guest.addrspace, TestMachine.GUEST_PA + 0x1000, 0x4020_0000L, 0x1000);

        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 0x1234_5678L);
    }

    @Test
    @Invariant(28)
    void aReadAnswerIsExtendedAsTheLoadSays() {
        TestMachine.Guest guest = guest(1, FAULTS);
        machine.map(guest.addrspace, TestMachine.GUEST_PA + 0x1000, 0x4020_0000L, 0x1000);
        guest.powerOn();
        guest.run();

        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_READ, UART + 1, 1);
        assertThat(guest.run(0x80, 0, 0)).startsWith(0, VMMIO_WRITE, UART + 8, 8, 0xFFFF_FF80L);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_READ, UART + 2, 2);
        assertThat(guest.run(0x7FFF, ACTION_RETRY, 0)).startsWith(0, VMMIO_READ, UART + 2, 2);
        assertThat(guest.run(0x8000, 0, 0)).startsWith(0, VMMIO_WRITE, UART + 8, 8, -0x8000L);
        assertThat(guest.run(0, 0, 0)).startsWith(0, PAGE_FAULT, UART, 1, 0);
    }

    @Test
    @Invariant(28)
    void anUnknownResumeActionIsRefusedAndNothingRuns() {
        TestMachine.Guest guest = guest(1, FAULTS);
        machine.map(guest.addrspace, TestMachine.GUEST_PA + 0x1000, 0x4020_0000L, 0x1000);
        guest.powerOn();
        guest.run();

        assertThat(guest.run(0, 3, 0)[0]).isEqualTo(-1);
        assertThat(guest.run(0, 0, 1)[0]).isEqualTo(-1);

        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_READ, UART + 1, 1);
    }

    @Test
    void aThreadThatIsNotProxyScheduledIsBusy() {
        long[] result = machine.host.submit(context -> {
            long cap = machine.call(0x23, machine.env.cspaceCap(), machine.env.vcpuCap(), machine.hostCspace,
                    0xFFFF_FFFFL)[1];
            long[] x = {cap, 0, 0, 0, 0, 0, 0, 0};
            context.port().call(0x65, x);
            return x;
        });

        assertThat(HypError.of(result[0])).isEqualTo(HypError.BUSY);
    }

    @Test
    void aWorkerOutsideTheVcpusCannotRunOne() {
        TestMachine.Guest guest = guest(1, COUNTS_FOR_EVER);
        long[] x = {guest.hostCaps[0], 0, 0, 0, 0, 0, 0, 0};

        machine.host.context().port().call(0x65, x);

        assertThat(HypError.of(x[0])).isEqualTo(HypError.DENIED);
    }

    @Test
    @Invariant(30)
    void aKilledVcpuEndsExitedWhileItRunsAndWhenItDoesNot() {
        TestMachine.Guest guest = guest(2, COUNTS_FOR_EVER);
        guest.powerOn();
        CompletableFuture<long[]> running = machine.host.start(context -> {
            long[] x = new long[8];
            do {
                x[0] = guest.hostCaps[0];
                context.port().call(0x65, x);
            } while (x[0] == 0 && x[1] == READY);
            return x;
        });
        await().pollInterval(Duration.ofMillis(2)).atMost(60, TimeUnit.SECONDS)
                .until(() -> machine.hypervisor.statistics(TestMachine.GUEST).getFirst().runNs() > 0);

        machine.call(0x3A, guest.vcpus[0]);
        machine.call(0x3A, guest.vcpus[1]);

        assertThat(running.orTimeout(60, TimeUnit.SECONDS).join()).startsWith(0, POWERED_OFF, 1, 0, 0);
        awaitHostInterrupt(TestMachine.WAKEUP_VIRQ + 2);
        assertThat(machine.call(0x68, guest.vcpus[1])).startsWith(0, POWERED_OFF, 1, 0, 0);
        machine.call(0x3A, guest.vcpus[0]);
        assertThat(HypError.of(machine.tryCall(0x38, guest.vcpus[0], 0, 0, 0)[0])).isEqualTo(HypError.FAILURE);
        long retired = machine.hypervisor.statistics(TestMachine.GUEST).getFirst().retired();
        assertThat(guest.run()).startsWith(0, POWERED_OFF, 1, 0, 0);
        assertThat(machine.hypervisor.statistics(TestMachine.GUEST).getFirst().retired()).isEqualTo(retired);
    }

    @Test
    @Invariant({31, 44})
    void cpuOnStartsASecondaryOnceAndAResetEndsTheVm() {
        TestMachine.Guest guest = guest(2, STARTS_A_SECONDARY);
        machine.write(TestMachine.GUEST_PA + 0x100, SECONDARY);
        guest.powerOn();

        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, UART, 8, 0);
        awaitHostInterrupt(TestMachine.WAKEUP_VIRQ + 2);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, -4);
        assertThat(guest.runVcpu(1)).startsWith(0, VMMIO_WRITE, UART + 16, 8, 77);
        assertThat(guest.runVcpu(1, 0, 0, 0)).startsWith(0, VMMIO_WRITE, UART + 16, 8, 0x8000_0001L);
        assertThat(guest.runVcpu(1, 0, 0, 0)).startsWith(0, POWERED_OFF, 0, 0, 0);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 1);

        assertThat(guest.run(0, 0, 0)).startsWith(0, PSCI_SYSTEM_RESET, 1L << 62 | 5, 9, 0);
        awaitHostInterrupt(TestMachine.HALT_VIRQ);
        assertThat(machine.call(0x68, guest.vcpus[0])).startsWith(0, PSCI_SYSTEM_RESET, 1L << 62 | 5, 9, 0);
        assertThat(guest.runVcpu(1)).startsWith(0, POWERED_OFF, 1, 0, 0);
    }

    @Test
    @Invariant(45)
    void systemOffTellsTheOwner() {
        TestMachine.Guest guest = guest(1, POWERS_OFF);
        guest.powerOn();

        assertThat(guest.run()).startsWith(0, POWERED_OFF, 0, 0, 0);

        awaitHostInterrupt(TestMachine.HALT_VIRQ);
        assertThat(machine.call(0x68, guest.vcpus[0])).startsWith(0, POWERED_OFF, 0, 0, 0);
    }

    @Test
    @Invariant(43)
    void anIdleGuestIsWokenByItsTimerNotBeforeTheDeadline() {
        TestMachine.Guest guest = guest(1, WAITS_FOR_ITS_TIMER);
        guest.powerOn();

        assertThat(guest.run()).startsWith(0, EXPECTS_WAKEUP, 0, 1, 0);
        long[] woken;
        do {
            // The wake-up of the power-on may come first: spurious ones are allowed, lost ones are not.
            awaitHostInterrupt(TestMachine.WAKEUP_VIRQ);
            woken = guest.run();
        } while (woken[1] == EXPECTS_WAKEUP);
        assertThat(woken).startsWith(0, VMMIO_WRITE, UART, 8, 27);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 1);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 1023);
        assertThat(guest.run(0, 0, 0)).startsWith(0, EXPECTS_WAKEUP, 0, 1, 0);
    }

    @Test
    void threadsOfGuestsAreNamedAfterTheirVcpus() {
        TestMachine.Guest guest = guest(1, COUNTS_FOR_EVER);
        guest.powerOn();
        // The wake-up that hands the task over may end a run before it began.
        await().atMost(60, TimeUnit.SECONDS).until(() -> {
            machine.host.submit(context -> {
                long[] x = {guest.hostCaps[0], 0, 0, 0, 0, 0, 0, 0};
                context.port().call(0x65, x);
                return x;
            });
            return machine.hypervisor.statistics(TestMachine.GUEST).getFirst().runNs() > 0;
        });

        List<String> names = Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();

        assertThat(names).contains("vm-3/vcpu-0", "vm-128/vcpu-0");
        assertThat(machine.hypervisor.vmids()).contains(3, 128, 255);
    }
}
