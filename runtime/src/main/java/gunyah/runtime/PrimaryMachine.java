package gunyah.runtime;

import akka.actor.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.vcpu.Machine.PowerEvent;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.vmm.PrimaryBoard;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A machine whose primary VM executes a kernel of the user, instead of our host: hypervisor, Resource Manager and that
 * kernel, nothing else. It is switched on by the launch of that one VM, and off when it ends. Thread safe.
 */
final class PrimaryMachine implements Machine {
    private static final int PRIMARY_VMID = 3;

    private final MachineConfig config;
    private final LongSupplier clock;
    private final Optional<TraceFile> trace;
    private final ActorSystem<Void> system;
    private PrimaryGuest guest;
    private boolean ended;

    /**
     * Makes a machine that is off.
     *
     * @param file of the trace
     * @throws BadInput when the trace cannot be written
     */
    PrimaryMachine(MachineConfig config, LongSupplier clock, Optional<Path> file) {
        this.config = config;
        this.clock = clock;
        var opened = file.map(TraceFile::create);
        system = ActorSystem.create(Behaviors.<Void>empty(), "gunyah",
                ConfigFactory.load(PrimaryMachine.class.getClassLoader(), "gunyah/runtime/system"));
        trace = opened.map(out -> new TraceFile(config.pcpus(), clock, out, TraceFile.format(file.get())));
    }

    @Override
    public synchronized CompletionStage<Guest> launch(VmConfig vm, Consumer<byte[]> output) {
        if (guest != null || ended) {
            return CompletableFuture.failedStage(
                    new BadInput("a machine whose primary VM executes a kernel has that one VM only"));
        }
        try {
            guest = start(vm, output);
        } catch (RuntimeException e) {
            ended = true;
            ActorMachine.end(system, null, null, trace);
            return CompletableFuture.failedStage(e);
        }
        return CompletableFuture.completedStage(guest);
    }

    private PrimaryGuest start(VmConfig vm, Consumer<byte[]> output) {
        SecureRandom random = new SecureRandom();
        AtomicReference<ActorRef> manager = new AtomicReference<>();
        PrimaryBoard board = PrimaryBoard.create(vm, output, system);
        Hypervisor hypervisor = Hypervisor.start(system, config, clock, random, (vmid, index) -> Optional.empty(),
                ResourceManager.program(behavior -> {
                    var actor = system.systemActorOf(behavior, "rm", Props.empty());
                    manager.set(Adapter.toClassic(actor));
                    return actor;
                }, RmProfile.large(), random::nextLong, trace.<RmTrace>map(t -> t).orElse(RmTrace.NONE)),
                trace.map(TraceFile::buffer), board);
        trace.ifPresent(file -> file.launched(PRIMARY_VMID, vm.name()));
        return new PrimaryGuest(board, hypervisor, manager.get());
    }

    @Override
    public void close() {
        PrimaryGuest running;
        synchronized (this) {
            running = guest;
            if (running == null) {
                if (!ended) {
                    ended = true;
                    ActorMachine.end(system, null, null, trace);
                }
                return;
            }
        }
        running.stop();
        running.exit.join();
    }

    private final class PrimaryGuest implements Guest {
        private final PrimaryBoard board;
        private final Hypervisor hypervisor;
        private final ActorRef manager;
        private final CompletableFuture<VmOutcome> outcome = new CompletableFuture<>();
        private final CompletableFuture<VmOutcome> exit;
        private volatile List<VcpuStatistics> lastStatistics;
        private volatile String lastDescription;

        PrimaryGuest(PrimaryBoard board, Hypervisor hypervisor, ActorRef manager) {
            this.board = board;
            this.hypervisor = hypervisor;
            this.manager = manager;
            hypervisor.powerEvent().thenAccept(event -> outcome.complete(outcomeOf(event)));
            hypervisor.failure().thenAccept(
                    reason -> outcome.complete(new VmOutcome(VmOutcome.Kind.CRASHED, reason, describe())));
            system.systemActorOf(ActorMachine.watch(Adapter.toTyped(manager), () -> outcome.complete(
                    new VmOutcome(VmOutcome.Kind.CRASHED, "the Resource Manager ended", describe()))), "watch-rm",
                    Props.empty());
            exit = outcome.thenApplyAsync(this::switchOff, command -> Thread.ofVirtual().start(command));
        }

        private VmOutcome outcomeOf(PowerEvent event) {
            return switch (event) {
                case OFF -> new VmOutcome(VmOutcome.Kind.POWERED_OFF, "powered off", "");
                case RESET -> new VmOutcome(VmOutcome.Kind.RESET, "asked for a reset", "");
            };
        }

        private VmOutcome switchOff(VmOutcome end) {
            lastStatistics = hypervisor.statistics(PRIMARY_VMID);
            lastDescription = describe();
            board.drained().toCompletableFuture().join();
            trace.ifPresent(file -> file.exited(PRIMARY_VMID, end.kind().label(), end.reason()));
            ActorMachine.end(system, hypervisor, manager, trace);
            return end;
        }

        @Override
        public void type(byte[] keys) {
            board.type(keys);
        }

        @Override
        public CompletionStage<VmOutcome> exit() {
            return exit.minimalCompletionStage();
        }

        @Override
        public GuestCounters counters() {
            List<VcpuStatistics> known = lastStatistics;
            return GuestCounters.of(known == null ? hypervisor.statistics(PRIMARY_VMID) : known, 0, 0);
        }

        @Override
        public String describe() {
            return lastDescription == null ? VcpuReport.of(hypervisor.describeVcpus(PRIMARY_VMID)) : lastDescription;
        }

        @Override
        public void stop() {
            outcome.complete(new VmOutcome(VmOutcome.Kind.STOPPED, "stopped", ""));
        }
    }
}
