package gunyah.vmm;

import akka.actor.typed.ActorSystem;
import gunyah.config.VmConfig;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.net.NetSwitch;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** Launches guests on one Gunyah device. Thread safe. */
public final class Vmm {
    private final GunyahDevice device;
    private final ActorSystem<?> system;
    private final InstantSource clock;
    private final NetSwitch switches = new NetSwitch();

    public Vmm(GunyahDevice device, ActorSystem<?> system) {
        this(device, system, InstantSource.system());
    }

    /** @param clock what the guests' real time clocks show */
    public Vmm(GunyahDevice device, ActorSystem<?> system, InstantSource clock) {
        this.device = device;
        this.system = system;
        this.clock = clock;
    }

    /**
     * Builds and starts a guest.
     *
     * @param consoleOutput gets what the guest writes to its console, in order; may block, which throttles the guest
     * @return the guest once it runs; fails with {@link gunyah.config.BadInput} or
     *     {@link gunyah.vmm.driver.GunyahError}, and nothing is left behind then
     */
    public CompletionStage<RunningVm> launch(VmConfig config, Consumer<byte[]> consoleOutput) {
        return launch(config, consoleOutput, vm -> { });
    }

    /**
     * Builds and starts a guest; as {@link #launch(VmConfig, Consumer)}.
     *
     * @param ending told once when the guest ended or is being stopped, while its vCPUs are still there to be looked
     *     at; any thread, must not block
     */
    public CompletionStage<RunningVm> launch(VmConfig config, Consumer<byte[]> consoleOutput,
            Consumer<RunningVm> ending) {
        CompletableFuture<RunningVm> launched = new CompletableFuture<>();
        CompletableFuture.supplyAsync(
                        () -> RunningVm.build(device, config, switches, consoleOutput, ending, clock, this::after),
                        device.worker())
                .thenCompose(RunningVm::start)
                .whenComplete((vm, failure) -> {
                    if (failure == null) {
                        launched.complete(vm);
                    } else {
                        launched.completeExceptionally(failure instanceof CompletionException wrapped
                                && wrapped.getCause() != null ? wrapped.getCause() : failure);
                    }
                });
        return launched;
    }

    /**
     * {@return the device tree of such a guest, as the Resource Manager would be given it} Blocks for files.
     *
     * @throws gunyah.config.BadInput as {@link #launch}
     */
    public static byte[] deviceTree(VmConfig config) {
        return RunningVm.plan(config).dtb().data();
    }

    private void after(Duration delay, Runnable action) {
        system.scheduler().scheduleOnce(delay, action, system.executionContext());
    }
}
