package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.bare.BareVm.VcpuSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** The actor of a vCPU or of a physical CPU fails: at most that VM is stopped, and nobody else notices. */
@Tag("guest")
class FailingActorsTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final long RAM = 0x4000_0000L;
    private static final long BLOCK = 2 << 20;
    private static final long FIRST_PA = 0x4100_0000L;
    private static final int FAULT = 6;
    private static final int OFF = 2;
    /** Counts at RAM + 4096 for ever. */
    private static final byte[] COUNTS = words(
            0xd2a80001, // mov  x1, #0x40000000
            0x91400421, // add  x1, x1, #1, lsl #12
            0x91000400, // 1: add x0, x0, #1
            0xf9000020, // str  x0, [x1]
            0x17fffffe); // b   1b

    private volatile String failing = "";
    private volatile boolean before;
    private volatile boolean third;
    private final AtomicInteger messages = new AtomicInteger();
    private final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "failing",
            ActorSystemSetup.create(BootstrapSetup.create(ConfigFactory.load()), new HandlerSetup(new Failures())));
    private final BareMachine machine =
            new BareMachine(system, new MachineConfig(1, 64L << 20, 1_000_000), new Random(1), Optional.empty());

    private final class Failures implements HandlerSetup.Surround {
        @Override
        public <C> Function<C, Behavior<C>> handler(String actor, Function<C, Behavior<C>> handler) {
            return command -> {
                boolean fails = actor.equals(failing) && (!third || messages.incrementAndGet() % 3 == 0);
                if (fails && before) {
                    throw new IllegalStateException("injected");
                }
                Behavior<C> next = handler.apply(command);
                if (fails) {
                    throw new IllegalStateException("injected");
                }
                return next;
            };
        }
    }

    @BeforeEach
    void silence() {
        ((Logger) LoggerFactory.getLogger("gunyah.hyp.pcpu")).setLevel(Level.OFF);
    }

    @AfterEach
    void close() {
        ((Logger) LoggerFactory.getLogger("gunyah.hyp.pcpu")).setLevel(null);
        failing = "";
        machine.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }

    private static byte[] words(int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            bytes.putInt(word);
        }
        return bytes.array();
    }

    private BareVm counting(int vmid) {
        BareVm vm = machine.vm(vmid).vcpu(VcpuSpec.on(0)).build();
        vm.map(RAM, pa(vmid), BLOCK);
        machine.hypervisor().memory().write(pa(vmid), COUNTS, 0, COUNTS.length);
        vm.powerOn(0, RAM, 0);
        return vm;
    }

    private static long pa(int vmid) {
        return FIRST_PA + (vmid - 128) * BLOCK;
    }

    private long count(int vmid) {
        byte[] bytes = new byte[8];
        machine.hypervisor().memory().read(pa(vmid) + 4096, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void awaitProgress(int vmid) {
        long now = count(vmid);
        await().atMost(SOON).until(() -> count(vmid) > now + 1000);
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void itIsHaltedWithFaultAndGivesItsPhysicalCpuBack(boolean receiving) {
        before = receiving;
        BareVm victim = counting(128);
        counting(129);
        awaitProgress(128);
        awaitProgress(129);

        failing = "vm-128/vcpu-0";

        await().atMost(SOON).until(() -> machine.tryCall(0x68, victim.vcpu(0))[0] == 0);
        assertThat(machine.call(0x68, victim.vcpu(0))).startsWith(0, FAULT);
        assertThat(machine.hypervisor().describeVcpus(128).getFirst().failure()).contains("injected");
        awaitProgress(129);
        long stopped = count(128);
        awaitProgress(129);
        assertThat(count(128)).isEqualTo(stopped);
        machine.call(0x3A, victim.vcpu(0));
        assertThat(machine.call(0x68, victim.vcpu(0))).startsWith(0, OFF, 1);
        counting(130);
        awaitProgress(130);
        assertThat(machine.hypervisor().failure().toCompletableFuture()).isNotDone();
    }

    @Test
    void aSchedulerThatFailsAtEachThirdMessageLosesNobody() {
        counting(128);
        counting(129);
        third = true;
        failing = "pcpu-0";
        for (int i = 0; i < 20; i++) {
            before = !before;
            awaitProgress(128);
            awaitProgress(129);
        }
        assertThat(messages.get()).isGreaterThan(10);
    }

    @Test
    void aSchedulerThatFailsAtEachMessageIsGivenUpWithAReason() {
        counting(128);
        counting(129);
        awaitProgress(128);
        awaitProgress(129);
        before = true;

        failing = "pcpu-0";

        await().atMost(SOON).until(() -> machine.hypervisor().failure().toCompletableFuture().isDone());
        assertThat(machine.hypervisor().failure().toCompletableFuture().join()).contains("pcpu-0", "injected");
    }
}
