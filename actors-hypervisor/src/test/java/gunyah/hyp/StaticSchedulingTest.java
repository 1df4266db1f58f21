package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** vCPUs that the hypervisor schedules itself, without a proxy, executing real code on real threads. */
@Tag("guest")
class StaticSchedulingTest {
    private static final long COUNTER = 0x1000;
    private static final long SLICE_NS = 1_000_000;
    private static final long LONGEST_SLICE_NS = 100_000_000;
    private static final int NO_CPU = 0xFFFF;
    private static final int ROUNDS = 10;
    private static final long PINNED = 1;
    private static final long SPACE = 1 << 16;

    private static final int[] COUNTS = {
            0xD2A8_0005, // movz x5, #0x4000, lsl #16
            0x9140_04A5, // add x5, x5, #1, lsl #12
            0xD280_0006, // mov x6, #0
            0x9100_04C6, // add x6, x6, #1
            0xF900_00A6, // str x6, [x5]
            0x17FF_FFFE, // b .-8
    };

    private static final int[] LENDS_ITS_CPU_FOR_A_MILLISECOND = {
            0xAA00_03F4, // mov x20, x0
            0xD2A8_0015, // movz x21, #0x4000, lsl #16
            0x9140_06B5, // add x21, x21, #1, lsl #12
            0xD280_0016, // mov x22, #0
            0xD53B_E043, // mrs x3, cntvct_el0
            0x9140_4063, // add x3, x3, #0x10, lsl #12
            0xD51B_E343, // msr cntv_cval_el0, x3
            0xD280_0024, // mov x4, #1
            0xD51B_E324, // msr cntv_ctl_el0, x4
            0xD280_0020, // mov x0, #1
            0xAA14_03E1, // mov x1, x20
            0xD280_0002, // mov x2, #0
            0xD40C_0762, // hvc #0x603b
            0x9100_06D6, // add x22, x22, #1
            0xF900_02B6, // str x22, [x21]
            0x17FF_FFF5, // b .-44
    };

    /** A VM of one vCPU with a few pages of RAM. */
    private static final class Guest {
        private final TestMachine machine;
        private final int vmid;
        private final long pa;
        private final long cspace;
        private final long vcpu;

        Guest(TestMachine machine, int number, int cpu, int priority, long sliceNs, long options, int... program) {
            this.machine = machine;
            this.vmid = TestMachine.GUEST + number;
            this.pa = TestMachine.GUEST_PA + number * SPACE;
            long addrspace = machine.create(0x03);
            machine.call(0x2E, addrspace, vmid);
            machine.activate(addrspace);
            cspace = machine.create(0x02);
            machine.call(0x25, cspace, 64);
            machine.activate(cspace);
            long vic = machine.create(0x0A);
            machine.call(0x28, vic, 1, 0, 0, 0);
            machine.activate(vic);
            vcpu = machine.create(0x05);
            machine.call(0x34, vcpu, options);
            machine.call(0x46, vcpu, priority);
            machine.call(0x47, vcpu, sliceNs);
            machine.call(0x3D, vcpu, cpu, -1);
            machine.call(0x3E, cspace, vcpu);
            machine.call(0x2A, addrspace, vcpu);
            machine.call(0x29, vic, vcpu, 0);
            machine.activate(vcpu);
            // An extent of its own: one extent is mapped into a few address spaces at most.
            long memory = machine.create(0x04);
            machine.call(0x32, memory, machine.env.memextentCap(), pa, SPACE, 7);
            machine.activate(memory);
            machine.call(0x2B, addrspace, memory, TestMachine.RAM, 0xF_0077, 0, 0, 0);
            machine.write(pa, program);
        }

        static Guest counting(TestMachine machine, int number, int cpu, int priority) {
            return new Guest(machine, number, cpu, priority, SLICE_NS, 0, COUNTS);
        }

        Guest powerOn(long context) {
            machine.call(0x38, vcpu, TestMachine.RAM, context, 0);
            return this;
        }

        HypError moveTo(int cpu) {
            return HypError.of(machine.tryCall(0x3D, vcpu, cpu, -1)[0]);
        }

        int counter() {
            return machine.read32(pa + COUNTER);
        }

        VcpuStatistics statistics() {
            return machine.hypervisor.statistics(vmid).getFirst();
        }

        void awaitProgress() {
            int before = counter();
            soon(() -> counter() - before > 10_000);
        }
    }

    private static void soon(BooleanSupplier condition) {
        await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(1)).until(condition::getAsBoolean);
    }

    @Test
    void theyShareACpuAmongThemselvesAndWithAProxyScheduledGuest() {
        try (TestMachine machine = new TestMachine()) {
            Guest a = Guest.counting(machine, 1, 0, 32).powerOn(0);
            Guest b = Guest.counting(machine, 2, 0, 32).powerOn(0);
            TestMachine.Guest proxied = machine.new Guest(TestMachine.GUEST, 1, COUNTS);
            proxied.powerOn();
            machine.host.start(context -> {
                long[] x = new long[8];
                do {
                    x[0] = proxied.hostCaps[0];
                    context.port().call(0x65, x);
                } while (!context.shouldYield() || x[0] == 0);
                return x[0];
            });

            soon(() -> a.statistics().runs() > 50 && b.statistics().runs() > 50 && a.counter() > 0 && b.counter() > 0
                    && machine.read32(TestMachine.GUEST_PA + COUNTER) > 1_000);

            VcpuStatistics once = a.statistics();
            assertThat(once.longestWaitNs()).isPositive();
            assertThat(once.waitNs()).isGreaterThanOrEqualTo(once.longestWaitNs());
        }
    }

    @Test
    @Invariant(35)
    void aLowerPriorityMakesNoProgressWhileAHigherOneIsRunnable() {
        try (TestMachine machine = new TestMachine()) {
            Guest low = Guest.counting(machine, 1, 0, 10).powerOn(0);
            low.awaitProgress();
            Guest high = Guest.counting(machine, 2, 0, 20).powerOn(0);
            soon(() -> high.counter() > 0);

            int before = low.counter();
            for (int i = 0; i < 20; i++) {
                high.awaitProgress();
            }

            assertThat(low.counter()).isEqualTo(before);
            machine.call(0x3A, high.vcpu);
            low.awaitProgress();
        }
    }

    @Test
    @Invariant(37)
    void aRunningVcpuMovesAndStopsWithoutACpu() {
        try (TestMachine machine = new TestMachine(3)) {
            Guest guest = Guest.counting(machine, 1, 1, 32).powerOn(0);
            guest.awaitProgress();

            for (int i = 0; i < 50; i++) {
                int cpu = 1 + (i + 1) % 2;
                soon(() -> guest.moveTo(cpu) == HypError.OK);
                guest.awaitProgress();
            }
            assertThat(guest.moveTo(3)).isEqualTo(HypError.ARGUMENT_INVALID);
            soon(() -> guest.moveTo(NO_CPU) == HypError.OK);
            soon(() -> guest.statistics().state().equals("ready"));
            int stopped = guest.counter();
            Guest other = Guest.counting(machine, 2, 1, 1).powerOn(0);
            other.awaitProgress();
            assertThat(guest.counter()).isEqualTo(stopped);
            soon(() -> guest.moveTo(2) == HypError.OK);
            guest.awaitProgress();
        }
    }

    @Test
    void aPinnedVcpuDoesNotMove() {
        try (TestMachine machine = new TestMachine(2)) {
            Guest guest = new Guest(machine, 1, 1, 32, SLICE_NS, PINNED, COUNTS).powerOn(0);

            assertThat(guest.moveTo(1)).isEqualTo(HypError.OK);
            assertThat(guest.moveTo(0)).isEqualTo(HypError.DENIED);
            guest.awaitProgress();
        }
    }

    @Test
    void everyOneOfMorePhysicalCpusThanTheHostHasRunsItsGuests() {
        int pcpus = 16;
        try (TestMachine machine = new TestMachine(pcpus)) {
            List<Guest> guests = new ArrayList<>();
            for (int i = 0; i < 2 * pcpus; i++) {
                guests.add(Guest.counting(machine, i, i % pcpus, 32).powerOn(0));
            }

            guests.forEach(guest -> soon(() -> guest.counter() > 0 && guest.statistics().runs() > 3));
        }
    }

    @Test
    void aDueTimerEndsADirectedYield() {
        try (TestMachine machine = new TestMachine(2)) {
            Guest target = new Guest(machine, 1, NO_CPU, 1, SLICE_NS, 0, COUNTS).powerOn(0);
            Guest yielder = new Guest(machine, 2, 1, 32, LONGEST_SLICE_NS, 0, LENDS_ITS_CPU_FOR_A_MILLISECOND);
            long cap = machine.call(0x23, machine.env.cspaceCap(), target.vcpu, yielder.cspace, 0xFFFF_FFFFL)[1];
            yielder.powerOn(cap);

            // Only the slice's end would come otherwise, every time. A busy host may be late itself now and then.
            long lentNs = LONGEST_SLICE_NS;
            for (int tries = 0; tries < 20 && lentNs >= LONGEST_SLICE_NS / 2; tries++) {
                int begun = yielder.counter();
                long ranNs = target.statistics().runNs();
                soon(() -> yielder.counter() >= begun + ROUNDS);
                lentNs = (target.statistics().runNs() - ranNs) / ROUNDS;
            }
            assertThat(lentNs).isLessThan(LONGEST_SLICE_NS / 2);
            assertThat(target.counter()).isPositive();
        }
    }
}
