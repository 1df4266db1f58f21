package gunyah.bench;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.Hypervisor;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.HostKernel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A whole machine whose host's Gunyah device the benchmarks of the driver use. */
final class DriverMachine implements AutoCloseable {
    private static final int PRIMARY = 3;
    private static final long MEMORY = 512L << 20;

    private final ActorSystem<Void> system;
    private final Hypervisor hypervisor;
    private final GunyahDevice device;

    DriverMachine(int pcpus) {
        system = ActorSystem.create(Behaviors.empty(), "bench", ConfigFactory.load("gunyah/runtime/system"));
        HostKernel host = new HostKernel(system);
        hypervisor = Hypervisor.start(system, new MachineConfig(pcpus, MEMORY, 5_000_000), System::nanoTime,
                (vmid, index) -> vmid == PRIMARY ? Optional.of(host.newCpu()) : Optional.empty(),
                ResourceManager.program(behavior -> system.systemActorOf(behavior, "rm", Props.empty()),
                        RmProfile.large(), () -> 42));
        device = host.device().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }

    GunyahDevice device() {
        return device;
    }

    @Override
    public void close() {
        hypervisor.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }
}
