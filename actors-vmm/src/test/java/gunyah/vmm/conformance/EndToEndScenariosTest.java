package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole lives of VMs, many vCPUs and many VMs. */
class EndToEndScenariosTest extends ScenarioTest {
    private static final long PSCI_VERSION = 0x8400_0000L;
    private static final long PSCI_CPU_ON = 0xC400_0003L;
    private static final int VMS = 200;
    private static final int CREATORS = 8;

    @Test
    @Scenario(130)
    void theProgramDoesWhatEveryCommandSays() {
        Guest guest = Guest.started(client, 1);
        Probe cpu = guest.cpu();
        cpu.put(Guest.FREE, 0x0102_0304_0506_0708L);
        assertThat(cpu.load(Guest.FREE, 1)).isEqualTo(new Probe.Value(8));
        assertThat(cpu.load(Guest.FREE, 2)).isEqualTo(new Probe.Value(0x0708));
        assertThat(cpu.load(Guest.FREE, 4)).isEqualTo(new Probe.Value(0x0506_0708));
        assertThat(cpu.store(Guest.FREE, 1, 0xFF)).isEqualTo(new Probe.Value(0));
        assertThat(cpu.get(Guest.FREE)).isEqualTo(0x0102_0304_0506_07FFL);
        assertThat(cpu.call(PSCI_VERSION)[0]).isEqualTo(0x1_0001);
        assertThat(cpu.fill(Guest.FREE, Guest.FREE + 0x4000, 5)).isEqualTo(new Probe.Value(0));
        assertThat(cpu.touch(Guest.FREE, Guest.FREE + 0x4000)).isEqualTo(new Probe.Value(20));
        cpu.openInterrupts();
        assertThat(cpu.takeInterrupt()).isEqualTo(1023);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 7, 8, 16})
    @Scenario(131)
    void everyVcpuComesUp(int cpus) {
        Guest guest = Guest.started(client, cpus);
        List<CompletableFuture<Probe.Outcome>> others = new ArrayList<>();
        for (int cpu = 1; cpu < cpus; cpu++) {
            others.add(async(guest.cpus[cpu]::go));
            assertThat(guest.cpu().call(PSCI_CPU_ON, cpu, Guest.RAM, 100 + cpu)[0]).isZero();
        }
        for (int cpu = 1; cpu < cpus; cpu++) {
            assertThat(Bench.get(others.get(cpu - 1))).isEqualTo(new Probe.Value(100 + cpu));
            assertThat(guest.cpus[cpu].get(Guest.FREE)).isZero();
        }
    }

    @Test
    @Scenario(133)
    void manyVmsAtOnceLeaveNothing() {
        int pages = bench.device.usedHostPages();
        int threads = Thread.getAllStackTraces().size();
        List<CompletableFuture<Integer>> creators = new ArrayList<>();
        for (int creator = 0; creator < CREATORS; creator++) {
            creators.add(async(() -> {
                int done = 0;
                try (Client own = new Client(bench.device)) {
                    for (; done < VMS / CREATORS; done++) {
                        Guest guest = Guest.started(own, 1);
                        assertThat(guest.cpu().get(Guest.FREE)).isZero();
                        guest.close();
                    }
                }
                return done;
            }));
        }
        assertThat(creators.stream().mapToInt(Bench::get).sum()).isEqualTo(VMS);
        assertThat(bench.device.usedHostPages()).isEqualTo(pages);
        assertThat(bench.hypervisor.vmids()).as("of the root VM and the host").hasSizeLessThanOrEqualTo(2);
        await().atMost(Duration.ofMinutes(1)).until(() -> Thread.getAllStackTraces().size() < threads + CREATORS);
    }

    @Test
    @Scenario(134)
    void kicksLoseNoExit() {
        Guest guest = Guest.started(client, 1);
        AtomicBoolean stop = new AtomicBoolean();
        CompletableFuture<Boolean> kicker = async(() -> {
            while (!stop.get()) {
                guest.cpu().page.immediateExit(true);
                Thread.onSpinWait();
            }
            return true;
        });
        long kicked = 0;
        // Until the kicker, a thread of its own, was seen to work.
        for (int i = 0; i < 300 || kicked == 0; i++) {
            Probe.Outcome outcome = guest.cpu().store(0x6000, 8, i);
            while (outcome.equals(new Probe.Failed(Errno.EINTR.number()))) {
                kicked++;
                guest.cpu().page.immediateExit(false);
                outcome = guest.cpu().go();
            }
            assertThat(outcome).isEqualTo(new Probe.Exit(Probe.EXIT_MMIO));
            assertThat(guest.cpu().page.mmioData()).isEqualTo(i);
            do {
                guest.cpu().page.immediateExit(false);
                outcome = guest.cpu().go();
            } while (outcome.equals(new Probe.Failed(Errno.EINTR.number())));
            assertThat(outcome).isEqualTo(new Probe.Value(0));
        }
        stop.set(true);
        Bench.get(kicker);
    }
}
