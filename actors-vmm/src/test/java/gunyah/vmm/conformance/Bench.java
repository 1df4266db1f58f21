package gunyah.vmm.conformance;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.Hypervisor;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.HostKernel;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A machine with the real hypervisor and Resource Manager, and the host driver behind a {@link Tap}. */
final class Bench implements AutoCloseable {
    private static final int HOST_VMID = 3;

    final ActorTestKit kit;
    final Tap tap = new Tap();
    final Hypervisor hypervisor;
    final GunyahDevice device;

    Bench(String name) {
        kit = ActorTestKit.create(name, ConfigFactory.load());
        HostKernel host = new HostKernel(kit.system());
        hypervisor = Hypervisor.start(kit.system(), new MachineConfig(2, 512L << 20, 5_000_000), System::nanoTime,
                (vmid, index) -> vmid == HOST_VMID ? Optional.of(tap.tapped(host.newCpu())) : Optional.empty(),
                ResourceManager.program(behavior -> kit.spawn(behavior, "rm"), RmProfile.large(), () -> 42));
        device = get(host.device());
    }

    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        hypervisor.close();
        kit.shutdownTestKit();
    }
}
