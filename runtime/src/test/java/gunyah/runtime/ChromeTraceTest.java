package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import gunyah.config.MachineConfig;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.pcpu.PcpuState;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real guests under the scheduler, and what a viewer of Chrome traces gets of them. */
@Tag("guest")
class ChromeTraceTest {
    private static final ConfigParseOptions JSON = ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RAM = 0x4000_0000L;
    private static final int VMS = 5;
    private static final int PCPUS = 2;
    private static final byte[] SPINS = {0, 0, 0, 0x14};

    @Test
    void slicesAreThoseThatTheSchedulersCountedAndNeverOverlap() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TraceFile file = new TraceFile(PCPUS, System::nanoTime, bytes, ChromeTrace::new);
        List<PcpuState> pcpus = run(file);
        file.close().toCompletableFuture().get(LIMIT.toSeconds(), TimeUnit.SECONDS);

        Config trace = ConfigFactory.parseString(bytes.toString(StandardCharsets.UTF_8), JSON);
        assertThat(trace.getLong("otherData.dropped")).isZero();
        Map<String, List<Config>> tracks = new HashMap<>();
        List<Config> slices = new ArrayList<>();
        for (Config event : trace.getConfigList("traceEvents")) {
            if (event.getString("ph").equals("X")) {
                slices.add(event);
                tracks.computeIfAbsent(event.getInt("pid") + "/" + event.getInt("tid"), key -> new ArrayList<>())
                        .add(event);
            }
        }
        tracks.forEach(ChromeTraceTest::assertNothingOverlaps);
        for (PcpuState pcpu : pcpus) {
            assertThat(tracks.get("0/" + pcpu.index())).as("slices of %s", pcpu).hasSize((int) pcpu.switches());
        }
        assertThat(slices).hasSize(2 * (int) pcpus.stream().mapToLong(PcpuState::switches).sum());
        assertThat(slices).extracting(slice -> slice.getString("args.stopped")).contains("slice-end")
                .doesNotContain("unknown");
    }

    private static void assertNothingOverlaps(String track, List<Config> slices) {
        slices.sort(Comparator.comparingDouble(slice -> slice.getDouble("ts")));
        double end = 0;
        for (Config slice : slices) {
            assertThat(slice.getDouble("ts")).as(track).isGreaterThanOrEqualTo(end - 0.0005);
            end = slice.getDouble("ts") + slice.getDouble("dur");
        }
    }

    /** Five guests that spin on two CPUs until each has had twenty turns. {@return what the CPUs did, nobody runs} */
    private static List<PcpuState> run(TraceFile file) {
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "traced",
                ConfigFactory.load(GunyahSystem.class.getClassLoader(), "gunyah/runtime/system"));
        try (BareMachine machine = new BareMachine(system, new MachineConfig(PCPUS, 64L << 20, 1_000_000),
                new Random(1), Optional.of(file.buffer()))) {
            List<BareVm> vms = new ArrayList<>();
            for (int i = 0; i < VMS; i++) {
                BareVm vm = machine.vm(128 + i).vcpu(BareVm.VcpuSpec.on(i % PCPUS)).build();
                long pa = machine.env().hlosBase() + (i << 16);
                vm.own(RAM, pa, 1 << 16);
                machine.hypervisor().memory().write(pa, SPINS, 0, SPINS.length);
                vm.powerOn(0, RAM, 0);
                vms.add(vm);
            }
            await().atMost(LIMIT).until(() -> statistics(machine).stream().allMatch(vcpu -> vcpu.runs() >= 20));
            vms.forEach(BareVm::kill);
            await().atMost(LIMIT).until(() -> statistics(machine).stream()
                    .allMatch(vcpu -> vcpu.state().equals("exited")));
            await().atMost(LIMIT).until(() -> pcpus(machine).stream().allMatch(pcpu -> pcpu.running().isEmpty()));
            return pcpus(machine);
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().join();
        }
    }

    private static List<VcpuStatistics> statistics(BareMachine machine) {
        List<VcpuStatistics> all = new ArrayList<>();
        for (int i = 0; i < VMS; i++) {
            all.addAll(machine.hypervisor().statistics(128 + i));
        }
        return all;
    }

    private static List<PcpuState> pcpus(BareMachine machine) {
        return machine.hypervisor().describePcpus().toCompletableFuture().join();
    }
}
