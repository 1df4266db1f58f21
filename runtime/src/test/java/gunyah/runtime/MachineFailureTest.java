package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.hyp.HandlerSetup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every VM needs fails for good: all VMs end and say why, and nobody waits for ever. */
@Tag("guest")
class MachineFailureTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final byte[] SPIN = {0, 0, 0, 0x14}; // b .

    @TempDir
    private Path directory;

    private volatile boolean failing;

    /** Some actors end at their next message, or fail at every message. */
    private GunyahSystem system(Predicate<String> actors, boolean atEveryMessage) {
        HandlerSetup setup = new HandlerSetup(new HandlerSetup.Surround() {
            @Override
            public <C> Function<C, Behavior<C>> handler(String actor, Function<C, Behavior<C>> handler) {
                return !actors.test(actor) ? handler : command -> {
                    if (failing && atEveryMessage) {
                        throw new IllegalStateException("injected");
                    }
                    return failing ? Behaviors.stopped() : handler.apply(command);
                };
            }
        });
        return new GunyahSystem(ActorMachine.start(new MachineConfig(2, 128L << 20, 5_000_000), System::nanoTime,
                Optional.empty(), ActorSystemSetup.create(setup)), System::nanoTime);
    }

    private VmConfig spin(String name) throws IOException {
        Path image = Files.write(directory.resolve(name), SPIN);
        return new VmConfig(name, 1, 4L << 20, Optional.of(image), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true);
    }

    @Test
    void withoutTheResourceManagerRunningVmsEndAndLaunchesFail() throws Exception {
        try (GunyahSystem system = system("rm"::equals, false)) {
            Vm running = system.createVm(spin("running"));
            failing = true;

            CompletableFuture<Vm> pending = system.launchVm(spin("pending")).toCompletableFuture();

            assertThatThrownBy(() -> pending.get(SOON.toSeconds(), TimeUnit.SECONDS))
                    .hasMessageContaining("the Resource Manager ended");
            VmOutcome end = running.awaitExit(SOON);
            assertThat(end.kind()).isEqualTo(VmOutcome.Kind.CRASHED);
            assertThat(end.reason()).contains("the machine failed: the Resource Manager ended");
            assertThat(end.report()).contains("vcpu-0");
            assertThatThrownBy(() -> system.createVm(spin("later"))).hasMessageContaining("the Resource Manager ended");
        }
    }

    @Test
    void aHostCpuThatFailsTakesTheMachineWithIt() throws Exception {
        try (GunyahSystem system = system(actor -> actor.startsWith("vm-3/vcpu-"), true)) {
            Vm running = system.createVm(spin("running"));
            failing = true;
            CompletableFuture<Vm> pending = system.launchVm(spin("pending")).toCompletableFuture();

            VmOutcome end = running.awaitExit(SOON);

            assertThat(end.reason()).contains("vm-3/vcpu-").contains("injected");
            String other = pending.handle((vm, failure) -> failure == null ? vm.awaitExit(SOON).reason()
                    : failure.getMessage()).get(SOON.toSeconds(), TimeUnit.SECONDS);
            assertThat(other).contains("vm-3/vcpu-");
        }
    }
}
