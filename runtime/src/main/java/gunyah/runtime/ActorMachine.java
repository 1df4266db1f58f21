package gunyah.runtime;

import akka.actor.ActorRef;
import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import akka.pattern.Patterns;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.translate.Translator;
import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.hyp.Hypervisor;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.vmm.Vmm;
import gunyah.vmm.driver.HostKernel;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole machine in one actor system: the hypervisor starts the root VM, whose program is the Resource Manager, which
 * starts the primary VM, whose CPUs are the Java host's; the VMM works on the device that the host finds. Only this
 * class knows all of them. When something fails that every VM needs, all VMs end with that reason. Thread safe.
 */
final class ActorMachine implements Machine {
    private static final Logger LOG = LoggerFactory.getLogger(ActorMachine.class);
    private static final int PRIMARY_VMID = 3;
    private static final Duration BOOT_LIMIT = Duration.ofMinutes(2);
    private static final Duration STOP_LIMIT = Duration.ofMinutes(1);

    private final ActorSystem<Void> system;
    private final Hypervisor hypervisor;
    private final ActorRef resourceManager;
    private final Vmm vmm;
    private final Optional<TraceFile> trace;
    private final Set<ActorGuest> guests = ConcurrentHashMap.newKeySet();
    private volatile String failure = "";
    private boolean closed;

    /** Of the actor system. */
    private static final class Settings {
        static final Config LOADED = ConfigFactory.load(ActorMachine.class.getClassLoader(), "gunyah/runtime/system");
    }

    /** Does ahead, on any thread, what every start needs and depends on nothing. */
    static void prepare() {
        Objects.requireNonNull(Settings.LOADED);
        Decoder.of(CpuFeatures.DEFAULT);
    }

    private ActorMachine(ActorSystem<Void> system, Hypervisor hypervisor, ActorRef resourceManager, Vmm vmm,
            Optional<TraceFile> trace) {
        this.system = system;
        this.hypervisor = hypervisor;
        this.resourceManager = resourceManager;
        this.vmm = vmm;
        this.trace = trace;
        hypervisor.failure().thenAccept(this::failed);
    }

    /**
     * Starts a machine up to the point where the host has found its Gunyah device. Blocks.
     *
     * @param clock monotonic nanoseconds
     * @param file  of the trace
     * @throws BadInput when the trace cannot be written
     */
    static ActorMachine start(MachineConfig config, LongSupplier clock, Optional<Path> file) {
        return start(config, clock, file, ActorSystemSetup.empty());
    }

    /** As above, with more about the actor system. */
    static ActorMachine start(MachineConfig config, LongSupplier clock, Optional<Path> file, ActorSystemSetup setup) {
        Optional<OutputStream> opened = file.map(TraceFile::create);
        BootstrapSetup bootstrap = BootstrapSetup.create(Settings.LOADED);
        ActorSystem<Void> system = ActorSystem.create(Behaviors.<Void>empty(), "gunyah", setup.withSetup(bootstrap));
        Optional<TraceFile> trace = opened.map(out -> new TraceFile(config.pcpus(), clock, out,
                TraceFile.format(file.get())));
        SecureRandom random = new SecureRandom();
        HostKernel host = new HostKernel(system);
        AtomicReference<ActorRef> manager = new AtomicReference<>();
        Hypervisor hypervisor = null;
        try {
            hypervisor = Hypervisor.start(system, config, clock, random,
                    (vmid, index) -> vmid == PRIMARY_VMID ? Optional.of(host.newCpu()) : Optional.empty(),
                    ResourceManager.program(behavior -> {
                        var actor = system.systemActorOf(behavior, "rm", Props.empty());
                        manager.set(Adapter.toClassic(actor));
                        return actor;
                    }, RmProfile.large(), random::nextLong, trace.<RmTrace>map(t -> t).orElse(RmTrace.NONE)),
                    trace.map(TraceFile::buffer));
            Vmm vmm = new Vmm(await(host.device(), BOOT_LIMIT, "the host VM did not start"), system);
            ActorMachine machine = new ActorMachine(system, hypervisor, manager.get(), vmm, trace);
            system.systemActorOf(watch(Adapter.toTyped(manager.get()),
                    () -> machine.failed("the Resource Manager ended")), "watch-rm", Props.empty());
            return machine;
        } catch (RuntimeException e) {
            end(system, hypervisor, manager.get(), trace);
            throw e;
        }
    }

    /** {@return a behaviour that tells once when an actor has ended} */
    static Behavior<Void> watch(akka.actor.typed.ActorRef<Void> actor, Runnable ended) {
        return Behaviors.setup(context -> {
            context.watch(actor);
            return Behaviors.receive(Void.class).onSignal(Terminated.class, signal -> {
                ended.run();
                return Behaviors.stopped();
            }).build();
        });
    }

    /** Nothing of the machine answers any more, so nobody may wait for it. */
    private void failed(String reason) {
        synchronized (this) {
            if (closed || !failure.isEmpty()) {
                return;
            }
            failure = reason;
        }
        LOG.error("the machine failed: {}", reason);
        guests.forEach(guest -> guest.machineFailed(reason));
    }

    @Override
    public CompletionStage<Guest> launch(VmConfig config, Consumer<byte[]> output) {
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedStage(new BadInput("the system is closed"));
            }
        }
        ActorGuest guest = new ActorGuest(hypervisor, ending -> vmm.launch(config, output, ending).thenApply(vm -> {
            trace.ifPresent(file -> file.launched(vm.vmid(), config.name()));
            return vm;
        }), config.reboots(), trace);
        guests.add(guest);
        guest.exit().whenComplete((outcome, lost) -> guests.remove(guest));
        if (failure.isEmpty()) {
            guest.launch();
        }
        // Looked at again: it may have failed before it could see the guest.
        if (!failure.isEmpty()) {
            guest.machineFailed(failure);
        }
        return guest.launched();
    }

    @Override
    public Optional<Translator.Statistics> translated() {
        return hypervisor.translated();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        CompletableFuture<?>[] exits = guests.stream().map(ActorGuest::stopped).toArray(CompletableFuture<?>[]::new);
        try {
            await(CompletableFuture.allOf(exits), STOP_LIMIT, "VMs did not stop");
        } catch (IllegalStateException e) {
            LOG.error("{}; going on without", e.getMessage());
        }
        end(system, hypervisor, resourceManager, trace);
    }

    /** In this order: nobody may use memory once the hypervisor gave it back; the trace has all that happened. */
    static void end(ActorSystem<Void> system, Hypervisor hypervisor, ActorRef manager,
            Optional<TraceFile> trace) {
        if (manager != null) {
            await(Patterns.gracefulStop(manager, STOP_LIMIT), STOP_LIMIT, "the Resource Manager did not stop");
        }
        if (hypervisor != null) {
            hypervisor.close();
        }
        trace.ifPresent(ActorMachine::close);
        system.terminate();
        await(system.getWhenTerminated(), STOP_LIMIT, "the actor system did not end");
    }

    private static void close(TraceFile trace) {
        try {
            await(trace.close(), STOP_LIMIT, "the trace is incomplete: it could not be written");
        } catch (IllegalStateException e) {
            LOG.warn("{}", e.getMessage());
        }
    }

    private static <T> T await(CompletionStage<T> stage, Duration limit, String failure) {
        try {
            return stage.toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException("%s in %s".formatted(failure, limit), e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("%s: %s".formatted(failure, e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(failure + ": interrupted", e);
        }
    }
}
