package gunyah.bench;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The machine of the benchmarks: memory and VMIDs for its guests, and a primary VM to be their proxy. */
final class BenchMachine implements AutoCloseable {
    static final long TIMESLICE_NS = 5_000_000;

    private static final long MEMORY = 256L << 20;
    private static final long FIRST_BLOCK = 0x4400_0000L;
    private static final long BLOCK = 2L << 20;

    private final ActorSystem<Void> system;
    private final BareMachine machine;
    private final BareVm host;
    private long nextBlock = FIRST_BLOCK;
    private int nextVmid = 128;

    BenchMachine(int pcpus) {
        system = ActorSystem.create(Behaviors.empty(), "bench", ConfigFactory.load("gunyah/runtime/system"));
        machine = new BareMachine(system, new MachineConfig(pcpus, MEMORY, TIMESLICE_NS), new SecureRandom(),
                Optional.empty());
        host = machine.bootHost();
    }

    BareMachine bare() {
        return machine;
    }

    /** {@return a new object in use, made with call {@code number}} */
    long activated(int number) {
        long cap = machine.create(number);
        machine.activate(cap);
        return cap;
    }

    /** {@return number of a root capability in the host's cspace} */
    long grantToHost(long cap) {
        return host.grant(cap);
    }

    /** {@return physical address of 2 MiB that nobody else got} */
    long block() {
        nextBlock += BLOCK;
        return nextBlock - BLOCK;
    }

    int newVmid() {
        return nextVmid++;
    }

    /** Executes {@code task} on the host's vCPU with its port. {@return completes with it} */
    CompletableFuture<Void> onHostCpu(Consumer<HypercallPort> task) {
        return machine.host().start(context -> {
            task.accept(context.port());
            return null;
        });
    }

    @Override
    public void close() {
        machine.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }
}
