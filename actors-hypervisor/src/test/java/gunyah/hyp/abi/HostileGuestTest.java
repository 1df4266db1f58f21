package gunyah.hyp.abi;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.Invariant;
import gunyah.hyp.MachineState;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.trace.TraceSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Guest code makes every call with hostile values in every argument: the answer is a documented one, a call that fails
 * changes nothing of the object model, nothing in Java throws, and the machine works on.
 */
@Tag("guest")
class HostileGuestTest {
    private static final int CALLS = Integer.getInteger("gunyah.hostile.calls", 100_000);
    private static final int FEWEST_VALUES = 64;
    private static final int SHOWN = 20;
    private static final long NATIVE_IDENTIFY = 0x6000;
    private static final long SMCCC_IDENTIFY = 0xC600_8000L;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** Compares the object model after each call of the guest with that before it, on the vCPU's thread. */
    private static final class Watch implements TraceSink {
        private final List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        private volatile Hypervisor machine;
        private HostileCalls calls;
        private int index;
        private MachineState before;
        private int failed;

        @Override
        public void hypercall(int vmid, int vcpu, long pc, long function, boolean nativeCall, long result) {
            if (vmid != HostileWorld.VMID || machine == null) {
                return;
            }
            MachineState after = machine.state();
            if (result != 0 && before != null && function != (nativeCall ? NATIVE_IDENTIFY : SMCCC_IDENTIFY)) {
                failed++;
                if (!after.equals(before) && wrong.size() < SHOWN) {
                    wrong.add("%s -> %d changed %s".formatted(calls.text(index), result, before.difference(after)));
                }
            }
            index++;
            before = after;
        }

        void begin(HostileCalls table, Hypervisor hypervisor) {
            calls = table;
            index = 0;
            before = null;
            machine = hypervisor;
        }

        void end() {
            machine = null;
        }

        @Override
        public void stage2Fault(int vmid, int vcpu, long pc, long ipa, int access, Fault fault) {
            // only calls count
        }

        @Override
        public void idle(int vmid, int vcpu, long pc) {
            // only calls count
        }

        @Override
        public void power(int vmid, int vcpu, Power change) {
            // only calls count
        }

        @Override
        public void virq(int vmid, int vcpu, int intid) {
            // only calls count
        }
    }

    /** Errors that anybody logs: an exception of ours ends as one. */
    private static final class Errors extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

        Errors() {
            start();
            root.addAppender(this);
        }

        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
                lines.add(event.getFormattedMessage());
            }
        }

        @Override
        public void close() {
            root.detachAppender(this);
        }
    }

    @Test
    @Invariant({3, 21})
    void aHostileCallGetsADocumentedAnswerAndChangesNothingWhenItFails() {
        long seed = Long.getLong("gunyah.seed", 20_26);
        Watch watch = new Watch();
        int calls = run(seed, 1, Interface.calls().size(), Optional.of(watch), watch);

        assertThat(calls).isGreaterThanOrEqualTo(CALLS);
        assertThat(watch.failed).as("calls that failed").isGreaterThan(calls / 2);
    }

    @Test
    void twoVcpusThatAttackTheSameObjectsBreakNothing() {
        run(Long.getLong("gunyah.seed", 20_27), 2, Math.max(2, CALLS / 25_000), Optional.empty(), new Watch());
    }

    /** {@return how many calls were made} */
    private static int run(long seed, int vcpus, int rounds, Optional<Watch> trace, Watch watch) {
        Random random = new Random(seed);
        List<String> wrong = new ArrayList<>();
        List<Integer> numbers = List.copyOf(Interface.calls().keySet());
        int calls = 0;
        ActorTestKit kit = ActorTestKit.create("hostile", ConfigFactory.load());
        try (Errors errors = new Errors();
                BareMachine machine = new BareMachine(kit.system(), new MachineConfig(vcpus, 128L << 20, 5_000_000),
                        new Random(seed), trace)) {
            MachineState clean = machine.hypervisor().state();
            for (int round = 0; round < rounds && wrong.isEmpty(); round++) {
                try (HostileWorld world = new HostileWorld(machine, vcpus)) {
                    List<HostileCalls> tables = new ArrayList<>();
                    for (int vcpu = 0; vcpu < vcpus; vcpu++) {
                        HostileCalls table = new HostileCalls(world, random);
                        assertThat(table.valueCount()).isGreaterThanOrEqualTo(FEWEST_VALUES);
                        if (vcpus == 1) {
                            table.sweep(numbers.get(round));
                            table.mix(Math.max(50, (CALLS - calls) / (rounds - round) - table.size()));
                        } else {
                            table.mix(CALLS / 20);
                        }
                        tables.add(table);
                        calls += table.size();
                    }
                    List<byte[]> bytes = tables.stream().map(HostileCalls::table).toList();
                    watch.begin(tables.getFirst(), machine.hypervisor());
                    wrong.addAll(world.run(bytes));
                    watch.end();
                    for (int vcpu = 0; vcpu < vcpus; vcpu++) {
                        wrong.addAll(tables.get(vcpu).judge(world.table(vcpu, bytes.get(vcpu).length)));
                    }
                    wrong.addAll(watch.wrong);
                }
                roundTrip(machine);
                Awaitility.await().atMost(LIMIT).untilAsserted(() ->
                        assertThat(clean.difference(machine.hypervisor().state())).as("left behind").isEmpty());
            }
            wrong.addAll(errors.lines);
        } finally {
            kit.shutdownTestKit();
        }
        System.out.printf("%s: %d hostile calls from guest code, seed %d%n", wrong.isEmpty() ? "PASS" : "FAIL", calls,
                seed);
        assertThat(wrong.subList(0, Math.min(SHOWN, wrong.size()))).as("seed %d", seed).isEmpty();
        return calls;
    }

    /** The machine still moves a message and makes and ends objects. */
    private static void roundTrip(BareMachine machine) {
        long queue = machine.create(0x07);
        machine.call(0x21, queue, 2 | 16 << 16);
        machine.activate(queue);
        byte[] message = {1, 2, 3, 4, 5, 6, 7, 8};
        long at = machine.env().rmBase();
        machine.root().write(at, message, 0, message.length);
        assertThat(machine.call(0x1B, queue, message.length, at, 0)[1]).isEqualTo(1);
        assertThat(machine.call(0x1C, queue, at + 64, 16)).startsWith(0, message.length, 0);
        byte[] received = new byte[message.length];
        machine.root().read(at + 64, received, 0, received.length);
        assertThat(received).isEqualTo(message);
        machine.call(0x22, machine.env().cspaceCap(), queue);
    }
}
