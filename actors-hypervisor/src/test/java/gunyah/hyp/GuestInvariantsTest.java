package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.hyp.bare.BareVm;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Guests that watch over themselves: timers and sleep, one runner for each vCPU, the power of a group. */
class GuestInvariantsTest {
    private static final long COUNTERS = 0x10_0000;
    private static final int EXPECTS_WAKEUP = 1;
    private static final int POWERED_OFF = 2;
    private static final int AGGREGATION = 0;
    private static final long DENIED = 0xFFFF_FFFDL;
    private static final int ALREADY_ON = -4;
    private static final long[] SYSTEM_CALLS = {0x8400_0008L, 0x8400_0009L, 0xC400_0012L};

    /** Arms its timer at random short distances, sleeps, and counts: rounds, violations, spurious wake-ups. */
    private static final int[] ARMS_AND_SLEEPS = {
            0xD2A1_0145, // movz x5, #0x80a, lsl #16
            0xB900_14BF, // str wzr, [x5, #0x14]
            0x9140_40A5, // add x5, x5, #0x10, lsl #12
            0x1280_0002, // mov w2, #-1
            0xB900_80A2, // str w2, [x5, #0x80]
            0x52A1_0002, // mov w2, #0x8000000
            0xB901_00A2, // str w2, [x5, #0x100]
            0xD2A1_0005, // movz x5, #0x800, lsl #16
            0x5280_0262, // mov w2, #0x13
            0xB900_00A2, // str w2, [x5]
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD2A8_0215, // movz x21, #0x4010, lsl #16
            0xD280_0329, // mov x9, #25
            0x9B09_258C, // next: madd x12, x12, x9, x9
            0xD354_7D86, // ubfx x6, x12, #20, #12
            0xD53B_E043, // mrs x3, cntvct_el0
            0x8B06_0063, // add x3, x3, x6
            0xD51B_E343, // msr cntv_cval_el0, x3
            0xD51B_E322, // msr cntv_ctl_el0, x2
            0xD503_207F, // sleep: wfi
            0xD53B_E044, // mrs x4, cntvct_el0
            0xD538_CC00, // mrs x0, icc_iar1_el1
            0xF100_6C1F, // cmp x0, #27
            0x5400_0060, // b.eq taken
            0x9100_05AD, // add x13, x13, #1
            0x17FF_FFFA, // b sleep
            0xEB03_009F, // taken: cmp x4, x3
            0x9A8B_256B, // cinc x11, x11, lo
            0xD51B_E33F, // msr cntv_ctl_el0, xzr
            0xD518_CC20, // msr icc_eoir1_el1, x0
            0xD538_CC00, // mrs x0, icc_iar1_el1
            0xF10F_FC1F, // cmp x0, #1023
            0x9A8B_056B, // cinc x11, x11, ne
            0x9100_054A, // add x10, x10, #1
            0xA900_B6AB, // stp x11, x13, [x21, #8]
            0xF900_02AA, // str x10, [x21]
            0x17FF_FFE9, // b next
    };

    /** Arms its timer and powers off; powered on again it waits until the deadline is long past and shows the timer. */
    private static final int[] ARMS_AND_POWERS_OFF = {
            0xD2A8_0215, // movz x21, #0x4010, lsl #16
            0xB500_02E0, // cbnz x0, again
            0xD2A1_0145, // movz x5, #0x80a, lsl #16
            0xB900_14BF, // str wzr, [x5, #0x14]
            0x9140_40A5, // add x5, x5, #0x10, lsl #12
            0x1280_0002, // mov w2, #-1
            0xB900_80A2, // str w2, [x5, #0x80]
            0x52A1_0002, // mov w2, #0x8000000
            0xB901_00A2, // str w2, [x5, #0x100]
            0xD2A1_0005, // movz x5, #0x800, lsl #16
            0x5280_0262, // mov w2, #0x13
            0xB900_00A2, // str w2, [x5]
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD53B_E043, // mrs x3, cntvct_el0
            0x9140_1063, // add x3, x3, #0x4, lsl #12
            0xD51B_E343, // msr cntv_cval_el0, x3
            0xD51B_E322, // msr cntv_ctl_el0, x2
            0x5280_0040, // movz w0, #2
            0x72B0_8000, // movk w0, #0x8400, lsl #16
            0xD400_0002, // hvc #0
            0x1400_0000, // b .
            0xD53B_E044, // again: mrs x4, cntvct_el0
            0xCB03_0084, // sub x4, x4, x3
            0xF140_109F, // cmp x4, #0x4, lsl #12
            0x54FF_FFAB, // b.lt again
            0xD53B_E326, // mrs x6, cntv_ctl_el0
            0xD2A1_0145, // movz x5, #0x80a, lsl #16
            0x9140_40A5, // add x5, x5, #0x10, lsl #12
            0xB942_00A7, // ldr w7, [x5, #0x200]
            0xD280_0028, // mov x8, #1
            0xA900_9EA6, // stp x6, x7, [x21, #8]
            0xF900_02A8, // str x8, [x21]
            0x1400_0000, // b .
    };

    /** Starts the second vCPU twice, lets it power off, tries to power off itself. */
    private static final int[] POWERS_A_GROUP = {
            0xD2A8_0215, // movz x21, #0x4010, lsl #16
            0xB500_0380, // cbnz x0, second
            0xD280_0060, // movz x0, #3
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD280_0021, // mov x1, #1
            0xD2A8_0002, // movz x2, #0x4000, lsl #16
            0xD280_0023, // mov x3, #1
            0xD400_0002, // hvc #0
            0xF900_02A0, // str x0, [x21]
            0xD280_0060, // movz x0, #3
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD400_0002, // hvc #0
            0xF900_06A0, // str x0, [x21, #8]
            0xD280_0024, // mov x4, #1
            0xF900_0AA4, // str x4, [x21, #16]
            0xD280_0080, // wait: movz x0, #4
            0xF2B8_8000, // movk x0, #0xc400, lsl #16
            0xD280_0021, // mov x1, #1
            0xD280_0002, // mov x2, #0
            0xD400_0002, // hvc #0
            0xF100_041F, // cmp x0, #1
            0x54FF_FF41, // b.ne wait
            0x5280_0040, // movz w0, #2
            0x72B0_8000, // movk w0, #0x8400, lsl #16
            0xD400_0002, // hvc #0
            0xF900_0EA0, // str x0, [x21, #24]
            0xD280_0024, // mov x4, #1
            0xF900_12A4, // str x4, [x21, #32]
            0x1400_0000, // b .
            0xF940_16A4, // second: ldr x4, [x21, #40]
            0x9100_0484, // add x4, x4, #1
            0xF900_16A4, // str x4, [x21, #40]
            0xF940_0AA4, // held: ldr x4, [x21, #16]
            0xB4FF_FFE4, // cbz x4, held
            0x5280_0040, // movz w0, #2
            0x72B0_8000, // movk w0, #0x8400, lsl #16
            0xD400_0002, // hvc #0
            0x1400_0000, // b .
    };

    /** Spins; with a function in X0 it calls that a little later. */
    private static final int[] SPINS_OR_CALLS = {
            0xB400_00A0, // cbz x0, spin
            0xD289_C409, // mov x9, #20000
            0xF100_0529, // delay: subs x9, x9, #1
            0x54FF_FFE1, // b.ne delay
            0xD400_0002, // hvc #0
            0x1400_0000, // spin: b spin
    };

    /** vcpu_run of the capability in X0 for ever; counts BUSY and OK. */
    private static final int[] RUNS_ANOTHER = {
            0xAA00_03F4, // mov x20, x0
            0xD2A8_0215, // movz x21, #0x4010, lsl #16
            0xAA14_03E0, // again: mov x0, x20
            0xD280_0001, // mov x1, #0
            0xD280_0002, // mov x2, #0
            0xD280_0003, // mov x3, #0
            0xD280_0004, // mov x4, #0
            0xD40C_0CA2, // hvc #0x6065
            0xF100_7C1F, // cmp x0, #31
            0x9A96_16D6, // cinc x22, x22, eq
            0xF100_001F, // cmp x0, #0
            0x9A97_16F7, // cinc x23, x23, eq
            0xA900_5EB6, // stp x22, x23, [x21]
            0x17FF_FFF5, // b again
    };

    private static final int[] COUNTS = {
            0xD2A8_0205, // movz x5, #0x4010, lsl #16
            0x9100_04C6, // add x6, x6, #1
            0xF900_00A6, // str x6, [x5]
            0x17FF_FFFE, // b .-8
    };

    private final TestMachine machine = new TestMachine(2);

    @AfterEach
    void stop() {
        machine.close();
    }

    private static void soon(BooleanSupplier condition) {
        await().atMost(Duration.ofSeconds(120)).pollInterval(Duration.ofMillis(1)).until(condition::getAsBoolean);
    }

    private long counter(long pa, int index) {
        byte[] bytes = new byte[8];
        machine.hypervisor.memory().read(pa + COUNTERS + 8L * index, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void awaitWakeup() {
        await().atMost(60, TimeUnit.SECONDS).pollInterval(Duration.ofNanos(20_000))
                .until(() -> machine.hostInterrupts.remove(TestMachine.WAKEUP_VIRQ));
    }

    /** A VM of vCPUs that the hypervisor schedules, with 2 MiB from {@link TestMachine#RAM}. */
    private BareVm scheduled(int number, int group, String program, int... words) {
        long pa = memory(number);
        BareVm.Builder plan = machine.bare.vm(TestMachine.GUEST + number).group(group);
        for (int i = 0; i < program.length(); i++) {
            plan.vcpu(BareVm.VcpuSpec.on(program.charAt(i) - '0'));
        }
        BareVm vm = plan.build();
        vm.own(TestMachine.RAM, pa, 2 << 20);
        machine.write(pa, words);
        return vm;
    }

    private static long memory(int number) {
        return TestMachine.GUEST_PA + ((long) number << 21);
    }

    /** A lost wake-up would be a time-out here; the guest itself sees whatever comes early, twice or late for its WFI. */
    @Test
    @Invariant({29, 39, 42, 43})
    void everySleepEndsByItsTimerNotBeforeTheDeadlineAndOnce() {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1, ARMS_AND_SLEEPS);
        guest.powerOn();
        long rounds = Integer.getInteger("gunyah.sequences", 1_000);
        int sleeps = 0;

        while (counter(TestMachine.GUEST_PA, 0) < rounds) {
            machine.hostInterrupts.clear();
            assertThat(guest.run()).startsWith(0, EXPECTS_WAKEUP);
            sleeps++;
            awaitWakeup();
        }

        assertThat(sleeps).isPositive();
        assertThat(counter(TestMachine.GUEST_PA, 1)).as("early or repeated interrupts").isZero();
    }

    @Test
    @Invariant(43)
    void aTimerOfAVcpuThatPoweredOffNeverFires() {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1, ARMS_AND_POWERS_OFF);
        guest.powerOn();
        assertThat(guest.run()).startsWith(0, POWERED_OFF, 0);

        machine.call(0x38, guest.vcpus[0], TestMachine.RAM, 1, 0);
        machine.host.start(context -> BareVm.run(context.port(), guest.hostCaps[0]));
        soon(() -> counter(TestMachine.GUEST_PA, 0) == 1);
        machine.call(0x3A, guest.vcpus[0]);

        assertThat(counter(TestMachine.GUEST_PA, 1)).as("CNTV_CTL_EL0").isZero();
        assertThat(counter(TestMachine.GUEST_PA, 2)).as("GICR_ISPENDR0").isZero();
    }

    /** The host and a guest on another physical CPU run the same vCPU: one of them at a time, the other is told BUSY. */
    @Test
    @Invariant({27, 32, 36})
    void oneRunsAVcpuAndTheOtherIsBusy() {
        TestMachine.Guest target = machine.new Guest(TestMachine.GUEST, 1, COUNTS);
        target.powerOn();
        BareVm rival = scheduled(1, BareVm.DEFAULT, "1", RUNS_ANOTHER);
        long cap = rival.grant(target.vcpus[0]);
        long[] answers = new long[2];
        machine.host.start(context -> {
            long[] x = new long[8];
            do {
                x[0] = target.hostCaps[0];
                context.port().call(0x65, x);
                answers[0] += x[0] == HypError.BUSY.code() ? 1 : 0;
                answers[1] += x[0] != 0 && x[0] != HypError.BUSY.code() ? 1 : 0;
            } while (x[0] == 0 && x[1] == 0 || x[0] == HypError.BUSY.code());
            return x;
        });
        rival.powerOn(0, TestMachine.RAM, cap);

        soon(() -> counter(memory(1), 0) > 20 && counter(memory(1), 1) > 20);
        machine.call(0x3A, rival.vcpu(0));
        machine.call(0x3A, target.vcpus[0]);
        soon(() -> machine.hypervisor.statistics(TestMachine.GUEST).getFirst().state().equals("exited"));

        assertThat(answers[1]).as("other answers of the host").isZero();
        long rounds = counter(TestMachine.GUEST_PA, 0);
        assertThat(machine.hypervisor.statistics(TestMachine.GUEST).getFirst().retired())
                .as("instructions for %d rounds of 3", rounds).isBetween(3 * rounds, 3 * rounds + 4);
    }

    @Test
    @Invariant(44)
    void aVcpuThatIsOnIsNotStartedAndTheLastOneOfAGroupStaysOn() {
        BareVm vm = scheduled(1, AGGREGATION, "00", POWERS_A_GROUP);
        vm.powerOn(0, TestMachine.RAM, 0);

        soon(() -> counter(memory(1), 4) == 1);

        assertThat(counter(memory(1), 0)).as("first CPU_ON").isZero();
        assertThat(counter(memory(1), 1)).as("second CPU_ON").isEqualTo(ALREADY_ON);
        assertThat(counter(memory(1), 5)).as("boots of the second vCPU").isEqualTo(1);
        assertThat(counter(memory(1), 3)).as("CPU_OFF of the last").isEqualTo(DENIED);
        assertThat(states(1)).containsExactly("running", "off");
        vm.kill();
    }

    /** Any vCPU, any of the three calls, three vCPUs on two physical CPUs. */
    @Test
    @Invariant(45)
    void theEndOfTheSystemStopsEveryVcpuOfTheGroup() {
        for (int round = 0; round < 9; round++) {
            int caller = round % 3;
            BareVm vm = scheduled(1 + round, BareVm.NO_AGGREGATION, "010", SPINS_OR_CALLS);
            for (int i = 2; i >= 0; i--) {
                vm.powerOn((caller + i) % 3, TestMachine.RAM, i == 0 ? SYSTEM_CALLS[round / 3] : 0);
            }
            int number = 1 + round;

            soon(() -> states(number).stream().allMatch(state -> state.equals("off") || state.equals("exited")));

            assertThat(states(number)).as("round %d", round).containsOnlyOnce("off");
            List<Long> retired = retired(number);
            assertThat(retired(number)).isEqualTo(retired);
            vm.kill();
        }
    }

    private List<String> states(int number) {
        return machine.hypervisor.statistics(TestMachine.GUEST + number).stream().map(VcpuStatistics::state).toList();
    }

    private List<Long> retired(int number) {
        return machine.hypervisor.statistics(TestMachine.GUEST + number).stream().map(VcpuStatistics::retired).toList();
    }
}
