package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.ADD_FUNCTION;
import static gunyah.vmm.conformance.Client.IRQFD;
import static gunyah.vmm.conformance.Client.REMOVE_FUNCTION;
import static gunyah.vmm.conformance.Client.VCPU;
import static gunyah.vmm.conformance.Client.failed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.hyp.HypError;
import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** RUN: what it returns, when it waits, how its exits are answered. */
class VcpuRunScenariosTest extends ScenarioTest {
    private static final Duration SOON = Duration.ofMinutes(1);
    private static final long PSCI_CPU_ON = 0xC400_0003L;
    private static final long PSCI_SYSTEM_OFF = 0x8400_0008L;
    private static final long PSCI_SYSTEM_RESET = 0x8400_0009L;
    private static final long PSCI_SYSTEM_RESET2 = 0xC400_0012L;
    private static final int READY = 0;
    private static final int STATE_EXPECTS_WAKEUP = 1;
    private static final int EXITED = 2;
    private static final int CRASHED = 3;
    private static final int FAULT = 1;
    private static final int RETRY = 2;
    private static final int VM_INIT = 0x5600000b;
    private static final int VM_EXITED = 0x56100001;
    private static final int VM_START = 0x56000004;
    private static final Probe.Exit MMIO = new Probe.Exit(Probe.EXIT_MMIO);
    private static final Probe.Exit STATUS = new Probe.Exit(Probe.EXIT_STATUS);

    @Test
    @Scenario(65)
    void aVcpuThatIsNotStartedIsNoDevice() {
        int vcpu = client.addVcpu(client.createVm(), 0);

        assertThat(client.run(vcpu)).isEqualTo(failed(Errno.ENODEV));
    }

    @Test
    @Scenario(66)
    void aVcpuThatWasRemovedIsNoDevice() {
        Guest guest = Guest.started(client, 1);

        assertThat(client.function(guest.vm, REMOVE_FUNCTION, VCPU, Client.vcpu(0))).isZero();

        assertThat(client.run(guest.cpu().fd)).isEqualTo(failed(Errno.ENODEV));
    }

    @Test
    @Scenario(67)
    void anImmediateExitComesBeforeTheGuest() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();
        guest.cpu().page.immediateExit(true);

        assertThat(client.run(guest.cpu().fd)).isEqualTo(failed(Errno.EINTR));
        assertThat(bench.tap.calls(Tap.VCPU_RUN)).isEmpty();

        guest.cpu().page.immediateExit(false);
        assertThat(guest.cpu().get(Guest.FREE)).isZero();
    }

    private Guest listening(int irqFlags) {
        Guest guest = Guest.prepared(client, 1);
        event = client.eventFd();
        assertThat(client.function(guest.vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, Guest.LINE, irqFlags))).isZero();
        guest.start();
        guest.listen();
        return guest;
    }

    private int event;

    @Test
    @Scenario(68)
    void aGuestThatWaitsCostsNothingAndMissesNoWakeUp() {
        Guest guest = listening(1);
        bench.tap.record();
        CompletableFuture<Probe.Outcome> waiting = async(() -> guest.cpu().waitForInterrupt());
        await().atMost(SOON).until(() -> bench.tap.calls(Tap.VCPU_RUN).stream()
                .anyMatch(call -> call.results()[1] == STATE_EXPECTS_WAKEUP));
        // Time for a loop to show itself: it would never be quiet for so long.
        AtomicInteger calls = new AtomicInteger();
        await().atMost(SOON).pollInterval(Duration.ofMillis(200)).until(() -> {
            int now = bench.tap.calls(Tap.VCPU_RUN).size();
            return calls.getAndSet(now) == now;
        });
        assertThat(waiting).isNotDone();

        client.files.signal(event, 1);

        assertThat(Bench.get(waiting)).isEqualTo(new Probe.Value(0));
        assertThat(guest.cpu().takeInterrupt()).isEqualTo(Guest.LINE_INTID);
        bench.tap.clear();
        for (int i = 0; i < 200; i++) {
            CompletableFuture<Long> sender = async(() -> client.files.signal(event, 1));
            assertThat(guest.cpu().waitForInterrupt()).isEqualTo(new Probe.Value(0));
            Bench.get(sender);
            assertThat(guest.cpu().takeInterrupt()).isEqualTo(Guest.LINE_INTID);
        }
    }

    @Test
    @Scenario(69)
    void aVcpuThatIsOffGoesOnAtTheEntryOfCpuOn() {
        Guest guest = Guest.started(client, 2);
        CompletableFuture<Probe.Outcome> second = async(guest.cpus[1]::go);

        assertThat(guest.cpu().call(PSCI_CPU_ON, 1, Guest.RAM, 0x77)[0]).isZero();

        assertThat(Bench.get(second)).isEqualTo(new Probe.Value(0x77));
        assertThat(guest.cpus[1].get(Guest.FREE)).isZero();
    }

    @Test
    @Scenario(70)
    void aVcpuThatIsOffHearsOfTheEndOfItsVm() {
        Guest guest = Guest.started(client, 2);
        CompletableFuture<Probe.Outcome> second = async(guest.cpus[1]::go);

        assertThat(guest.cpu().lastCall(PSCI_SYSTEM_OFF)).isEqualTo(STATUS);

        assertThat(Bench.get(second)).isEqualTo(STATUS);
        assertThat(guest.cpus[1].page.status()).isEqualTo(EXITED);
        assertThat(guest.cpus[1].page.exitType()).isEqualTo(1);
        byte[] page = guest.cpus[1].pageBytes();
        for (int i = 0; i < 3; i++) {
            assertThat(client.run(guest.cpus[1].fd)).isZero();
            assertThat(guest.cpus[1].pageBytes()).isEqualTo(page);
        }
    }

    @Test
    @Scenario(71)
    void theStatusExitTellsHowTheVmEnded() {
        assertThat(endsWith(PSCI_SYSTEM_OFF, 0, 0).subList(0, 2)).containsExactly(1L, 4L);
        assertThat(endsWith(PSCI_SYSTEM_RESET, 0, 0).subList(0, 2)).containsExactly(2L, 4L);
        List<Long> reset2 = endsWith(PSCI_SYSTEM_RESET2, 0x8000_0001L, 0x1234);
        assertThat(reset2.subList(0, 2)).containsExactly(3L, 16L);
        assertThat(reset2.get(2) >>> 32).as("second reason word: the reset type").isEqualTo(0x8000_0001L);
        assertThat(reset2.get(2) & 0x8000).as("SMC64 form").isNotZero();

        List<Integer> types = new CopyOnWriteArrayList<>();
        bench.tap.replies(message -> {
            ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            if (in.getInt(4) == VM_EXITED) {
                types.add((int) in.getShort(10));
            }
            return message;
        });
        Guest.started(client, 1).close();
        assertThat(types).as("stopped by force").containsExactly(7);
    }

    private List<Long> endsWith(long... call) {
        Guest guest = Guest.started(client, 2);
        CompletableFuture<Probe.Outcome> second = async(guest.cpus[1]::go);
        assertThat(guest.cpu().lastCall(call)).isEqualTo(STATUS);
        assertThat(Bench.get(second)).isEqualTo(STATUS);
        for (Probe cpu : guest.cpus) {
            assertThat(cpu.page.status()).isEqualTo(EXITED);
            assertThat(cpu.page.exitType()).isEqualTo(guest.cpu().page.exitType());
        }
        return List.of((long) guest.cpu().page.exitType(), (long) guest.cpu().page.reasonSize(),
                guest.cpu().page.reason());
    }

    @Test
    @Scenario(72)
    void aVcpuOfAVmThatDidNotStartSaysSo() {
        bench.tap.failRequest(VM_START, 6);
        Guest crashed = Guest.prepared(client, 1);
        assertThat(client.start(crashed.vm)).isEqualTo(failed(Errno.EINVAL));

        assertThat(crashed.cpu().go()).isEqualTo(STATUS);
        assertThat(crashed.cpu().page.status()).isEqualTo(CRASHED);

        bench.tap.clear();
        bench.tap.failRequest(VM_INIT, 6);
        Guest failed = Guest.prepared(client, 1);
        assertThat(client.start(failed.vm)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.run(failed.cpu().fd)).as("no resource came").isEqualTo(failed(Errno.ENODEV));
    }

    @Test
    @Scenario({73, 78})
    void loadsLeaveWithTheirSizeAndTakeOnlyThatMuchOfTheAnswer() {
        Guest guest = Guest.started(client, 1);
        for (int size = 1; size <= 8; size *= 2) {
            assertThat(guest.cpu().load(0x6000, size)).isEqualTo(MMIO);
            assertThat(guest.cpu().page.address()).isEqualTo(0x6000);
            assertThat(guest.cpu().page.mmioLength()).isEqualTo(size);
            assertThat(guest.cpu().page.mmioIsWrite()).isFalse();
            guest.cpu().page.mmioData(0xFEDC_BA98_7654_3210L);
            // the resume action is left alone
            assertThat(Probe.value(guest.cpu().go())).isEqualTo(0xFEDC_BA98_7654_3210L & -1L >>> 64 - 8 * size);
        }
    }

    @Test
    @Scenario(74)
    void storesLeaveWithTheirDataInLittleEndian() {
        Guest guest = Guest.started(client, 1);
        for (int size = 1; size <= 8; size *= 2) {
            assertThat(guest.cpu().store(0x6000, size, 0xFEDC_BA98_7654_3210L)).isEqualTo(MMIO);
            assertThat(guest.cpu().page.mmioIsWrite()).isTrue();
            assertThat(guest.cpu().page.mmioLength()).isEqualTo(size);
            assertThat(guest.cpu().page.mmioData()).isEqualTo(0xFEDC_BA98_7654_3210L & -1L >>> 64 - 8 * size);
            assertThat(guest.cpu().page.bytes()[24]).isEqualTo((byte) 0x10);
            assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0));
        }
    }

    @Test
    @Scenario(75)
    void aRefusedAccessIsAnExternalAbortOfTheGuest() {
        Guest guest = Guest.started(client, 1);
        for (boolean store : new boolean[] {false, true}) {
            assertThat(store ? guest.cpu().store(0x6008, 8, 1) : guest.cpu().load(0x6008, 8)).isEqualTo(MMIO);
            guest.cpu().page.mmioResume(FAULT);

            Probe.Exception exception = (Probe.Exception) guest.cpu().go();

            assertThat(exception.esr() >>> 26).as("data abort, same level").isEqualTo(0x25);
            assertThat(exception.esr() & 0x3f).as("external abort").isEqualTo(0x10);
            assertThat(exception.far()).isEqualTo(0x6008);
        }
    }

    @Test
    @Scenario(76)
    void anAccessCanBeTriedAgainOnceThereIsMemory() {
        Guest guest = Guest.started(client, 1);
        int memory = (int) client.createMemory(4096, 0);
        client.writeLong(memory, 8, 0x1122_3344);
        assertThat(guest.cpu().load(0x2000_0008, 8)).isEqualTo(MMIO);
        assertThat(client.map(guest.vm, Client.SHARE | Client.R | Client.W, memory, 0x2000_0000, 0, 4096)).isZero();
        guest.cpu().page.mmioResume(RETRY);

        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0x1122_3344));
    }

    @Test
    @Scenario(77)
    void anUnknownResumeActionMayBePutRight() {
        Guest guest = Guest.started(client, 1);
        assertThat(guest.cpu().load(0x6000, 4)).isEqualTo(MMIO);
        guest.cpu().page.mmioData(42);
        guest.cpu().page.mmioResume(9);
        assertThat(client.run(guest.cpu().fd)).isEqualTo(failed(Errno.EINVAL));

        guest.cpu().page.mmioResume(0);

        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(42));
    }

    @Test
    @Scenario(79)
    void theClientCannotMakeAnAccessLonger() {
        Guest guest = Guest.started(client, 1);
        assertThat(guest.cpu().load(0x6000, 2)).isEqualTo(MMIO);
        guest.cpu().page.bytes()[32] = (byte) 200;
        guest.cpu().page.mmioData(-1);

        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0xFFFF));
    }

    @Test
    @Scenario(80)
    void anExitWinsOverASignalOfTheSameInstant() {
        Guest guest = Guest.started(client, 1);
        Thread thread = Thread.currentThread();
        bench.tap.after((arguments, results) -> {
            if (arguments[0] == Tap.VCPU_RUN && results[2] == 0x6000) {
                thread.interrupt();
            }
        });

        assertThat(guest.cpu().load(0x6000, 4)).isEqualTo(MMIO);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(guest.cpu().page.address()).isEqualTo(0x6000);
        guest.cpu().page.mmioData(5);
        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(5));
    }

    @Test
    @Scenario(81)
    void aRetryDeliversTheSameAnswer() {
        Guest guest = Guest.started(client, 1);
        assertThat(guest.cpu().load(0x6000, 4)).isEqualTo(MMIO);
        guest.cpu().page.mmioData(0xABCD);
        bench.tap.record();
        bench.tap.failOnce(Tap.VCPU_RUN, HypError.RETRY.code());

        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0xABCD));

        List<Tap.Call> calls = bench.tap.calls(Tap.VCPU_RUN);
        assertThat(calls.get(0).arguments()[2]).isEqualTo(0xABCD).isEqualTo(calls.get(1).arguments()[2]);
        assertThat(calls.subList(2, calls.size())).noneMatch(call -> call.arguments()[2] == 0xABCD);
    }

    @Test
    @Scenario(82)
    void errorsOfTheHypervisorAreTranslatedAndHarmless() {
        Guest guest = Guest.started(client, 1);
        long[][] errors = {{HypError.BUSY.code(), Errno.EBUSY.number()},
            {HypError.CSPACE_CAP_REVOKED.code(), Errno.EACCES.number()}, {99, Errno.EINVAL.number()}};
        for (long[] error : errors) {
            assertThat(guest.cpu().load(0x6000, 4)).isEqualTo(MMIO);
            guest.cpu().page.mmioData(error[1]);
            bench.tap.failOnce(Tap.VCPU_RUN, error[0]);
            assertThat(client.run(guest.cpu().fd)).isEqualTo(-error[1]);
            assertThat(guest.cpu().go()).as("the answer was kept").isEqualTo(new Probe.Value(error[1]));
        }
    }

    @Test
    @Scenario(83)
    void statesTheDriverDoesNotKnowAreNoBusyLoop() {
        Guest guest = Guest.started(client, 1);
        AtomicInteger changed = new AtomicInteger();
        bench.tap.before(x -> {
            if (x[0] == Tap.VCPU_RUN && changed.getAndIncrement() == 0) {
                java.util.Arrays.fill(x, 0);
                x[1] = 0x55;
                return true;
            }
            return false;
        });
        assertThat(guest.cpu().get(Guest.FREE)).isZero();
        assertThat(changed.get()).isGreaterThan(1);

        bench.tap.clear();
        bench.tap.record();
        assertThat(guest.cpu().lastCall(PSCI_SYSTEM_RESET)).isEqualTo(STATUS);
        assertThat(bench.tap.calls(Tap.VCPU_RUN)).as("calls of a VM that resets").hasSizeLessThan(20);
    }

    @Test
    @Scenario({84, 85})
    void oneRunsAVcpuAtATimeAndRemovalEndsIt() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();
        CompletableFuture<Probe.Outcome> running = async(() -> guest.cpu().spin());
        await().atMost(SOON).until(() -> bench.tap.calls(Tap.VCPU_RUN).stream().anyMatch(call -> call.results()[1] == READY));
        CompletableFuture<Thread> queued = new CompletableFuture<>();
        CompletableFuture<Long> second = async(() -> {
            queued.complete(Thread.currentThread());
            return client.run(guest.cpu().fd);
        });
        await().atMost(SOON).until(() -> Bench.get(queued).getState() == Thread.State.WAITING);

        Bench.get(queued).interrupt();

        assertThat(Bench.get(second)).isEqualTo(failed(Errno.EINTR));
        assertThat(running).isNotDone();
        assertThat(client.function(guest.vm, REMOVE_FUNCTION, VCPU, Client.vcpu(0))).isZero();
        assertThat(Bench.get(running)).isIn(new Probe.Failed(Errno.EINTR.number()),
                new Probe.Failed(Errno.ENODEV.number()));
    }
}
