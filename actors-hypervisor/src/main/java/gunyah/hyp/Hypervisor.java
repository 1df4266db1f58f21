package gunyah.hyp;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.AskPattern;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.interp.LockStep;
import gunyah.arm64.interp.RegionExits;
import gunyah.arm64.translate.CodeCache;
import gunyah.arm64.translate.JitLog;
import gunyah.arm64.translate.RegionGates;
import gunyah.arm64.translate.Translator;
import gunyah.config.BadInput;
import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.AddrspaceCalls;
import gunyah.hyp.addrspace.DevicePages;
import gunyah.hyp.addrspace.Vmids;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.cspace.CSpaceCalls;
import gunyah.hyp.doorbell.Doorbell;
import gunyah.hyp.doorbell.DoorbellCalls;
import gunyah.hyp.hwirq.HardwareLine;
import gunyah.hyp.hwirq.HwIrq;
import gunyah.hyp.hwirq.HwIrqCalls;
import gunyah.hyp.memextent.MappingCalls;
import gunyah.hyp.memextent.MemExtent;
import gunyah.hyp.memextent.MemExtentCalls;
import gunyah.hyp.memextent.MemoryTree;
import gunyah.hyp.msgqueue.MsgQueue;
import gunyah.hyp.msgqueue.MsgQueueCalls;
import gunyah.hyp.partition.Partition;
import gunyah.hyp.partition.PartitionCalls;
import gunyah.hyp.pcpu.HostCores;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.PcpuActor;
import gunyah.hyp.pcpu.PcpuState;
import gunyah.hyp.timer.SystemCounter;
import gunyah.hyp.timer.TimerThread;
import gunyah.hyp.trace.TraceSink;
import gunyah.hyp.vcpu.Casualties;
import gunyah.hyp.vcpu.EngineFactory;
import gunyah.hyp.vcpu.Machine;
import gunyah.hyp.vcpu.Vcpu;
import gunyah.hyp.vcpu.VcpuCalls;
import gunyah.hyp.vcpu.VcpuSupervisor;
import gunyah.hyp.vic.Vic;
import gunyah.hyp.vic.VicCalls;
import gunyah.hyp.virtiommio.VirtioInputCalls;
import gunyah.hyp.virtiommio.VirtioMmio;
import gunyah.hyp.virtiommio.VirtioMmioCalls;
import gunyah.hyp.vpm.Psci;
import gunyah.hyp.vpm.VpmCalls;
import gunyah.hyp.vpm.VpmGroup;
import gunyah.memory.FrameOwners;
import gunyah.memory.PhysicalMemory;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One machine: physical memory, physical CPUs, the hypercall table and the root VM, put together and started. There is
 * no static state, but one actor system holds one machine at a time, because actors are named after its objects.
 *
 * <p>{@link #close} stops every vCPU thread before memory goes. Whoever uses a {@link HypercallPort} on threads of his
 * own must stop using it first.
 */
public final class Hypervisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hypervisor.class);
    private static final Duration STOP_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration DESCRIBE_TIMEOUT = Duration.ofMinutes(1);

    private final ActorSystem<?> system;
    /** The first hundred executions of a region are compared, then one in so many. */
    private static final int LOCKSTEP_EVERY = Integer.getInteger("gunyah.lockstep.every", 1);

    private final PhysicalMemory memory;
    private final MemoryTree memoryTree;
    private final Vmids vmids = new Vmids();
    private final DevicePages devicePages = new DevicePages();
    private final IdSource ids = new IdSource();
    private final ObjectRegistry objects = new ObjectRegistry();
    private final RandomGenerator entropy;
    private final TimerThread timer;
    private final Translator translator;
    private final List<Pcpu> pcpus = new ArrayList<>();
    private final List<HwIrq> interrupts = new ArrayList<>();
    private final Machine machine;
    private final ActorRef<VcpuSupervisor.Command> supervisor;
    private final Queue<CompletableFuture<Void>> threads = new ConcurrentLinkedQueue<>();
    private final CompletableFuture<Machine.PowerEvent> powerEvent = new CompletableFuture<>();
    private final CompletableFuture<String> failure = new CompletableFuture<>();
    private boolean closed;

    private Hypervisor(ActorSystem<?> system, MachineConfig config, LongSupplier clock, RandomGenerator entropy,
            TraceSink trace) {
        this.system = system;
        this.entropy = entropy;
        this.translator = translator(config);
        this.memory = new PhysicalMemory(RootVmBoot.RAM_BASE + config.memoryBytes());
        long frames = memory.sizeBytes() / PhysicalMemory.PAGE_SIZE;
        this.memoryTree = new MemoryTree(memory, new FrameOwners(frames, IdSource.HYPERVISOR));
        this.timer = TimerThread.start(clock, system.name() + "-timer");
        HostCores cores = new HostCores(Runtime.getRuntime().availableProcessors());
        for (int index = 0; index < config.pcpus(); index++) {
            pcpus.add(new Pcpu(index));
        }
        this.machine = new Machine(pcpus, cores, timer, new SystemCounter(clock), config.timesliceNs(), trace);
        machine.onPower(powerEvent::complete);
        machine.onFailure(failure::complete);
        pcpus.forEach(pcpu -> pcpu.start(system.systemActorOf(
                PcpuActor.create(pcpu, timer, cores, trace, machine.registry()::threads, machine::failed), pcpu.toString(),
                Dispatchers.hypercall())));
        this.supervisor = system.systemActorOf(VcpuSupervisor.create(new Casualties(machine.registry(),
                RootVmBoot.VMID)), "vms", Props.empty());
        objects.onBroken((object, reason) -> supervisor.tell(new VcpuSupervisor.ObjectBroke(object, reason)));
    }

    /** {@return what is in use at that path, or null} */
    private static <T> T opened(Optional<Path> path, Function<Path, T> open, String purpose) {
        try {
            return path.map(open).orElse(null);
        } catch (UncheckedIOException e) {
            throw new BadInput("cannot %s %s: is it where you may write?".formatted(purpose, path.orElseThrow()), e);
        }
    }

    private static Translator translator(MachineConfig config) {
        JitLog log = opened(config.jitLog(), JitLog::new, "write the translator's log");
        RegionGates gates = log == null ? RegionGates.OPEN : new RegionExits();
        CodeCache cache = opened(config.codeCache(), CodeCache::new, "keep translated code in");
        return switch (config.engine()) {
            case INTERPRET -> null;
            case AUTO -> new Translator(Translator.Policy.AUTO, log, gates, cache);
            case TRANSLATE -> new Translator(Translator.Policy.EAGER, log, gates, cache);
            case LOCKSTEP -> new Translator(Translator.Policy.PROOF, log, new LockStep(LOCKSTEP_EVERY), cache);
        };
    }

    /**
     * Starts a machine and boots its root VM.
     *
     * @param system needs the dispatchers of this module's {@code reference.conf}
     * @param clock  monotonic nanoseconds in real time
     * @param works  which vCPUs flagged hlos_vm execute Java
     * @param rootVm the Resource Manager
     */
    public static Hypervisor start(ActorSystem<?> system, MachineConfig config, LongSupplier clock,
            VcpuWorkFactory works, RootVm rootVm) {
        return start(system, config, clock, new SecureRandom(), works, rootVm);
    }

    /**
     * As above with a random source of choice.
     *
     * @param entropy thread safe; draws capability ids and answers the guests' random calls
     */
    public static Hypervisor start(ActorSystem<?> system, MachineConfig config, LongSupplier clock,
            RandomGenerator entropy, VcpuWorkFactory works, RootVm rootVm) {
        return start(system, config, clock, entropy, works, rootVm, Optional.empty());
    }

    /**
     * As above with a listener.
     *
     * @param trace hears what the machine does, from the first vCPU on until {@link #close} returns
     */
    public static Hypervisor start(ActorSystem<?> system, MachineConfig config, LongSupplier clock,
            RandomGenerator entropy, VcpuWorkFactory works, RootVm rootVm, Optional<? extends TraceSink> trace) {
        return start(system, config, clock, entropy, works, rootVm, trace, Board.BARE);
    }

    /**
     * As above on a board.
     *
     * @param board what is in memory when the machine starts, and its devices
     */
    public static Hypervisor start(ActorSystem<?> system, MachineConfig config, LongSupplier clock,
            RandomGenerator entropy, VcpuWorkFactory works, RootVm rootVm, Optional<? extends TraceSink> trace,
            Board board) {
        Hypervisor hypervisor = new Hypervisor(system, config, clock, entropy, trace.orElse(null));
        try {
            hypervisor.boot(clock, features(config.cpu()), works, rootVm, board);
        } catch (RuntimeException e) {
            hypervisor.close();
            throw e;
        }
        return hypervisor;
    }

    private void boot(LongSupplier clock, CpuFeatures features, VcpuWorkFactory works, RootVm rootVm, Board board) {
        HypercallTable table = new HypercallTable(groups(entropy, clock, this::create, memoryTree));
        if (machine.trace() != null) {
            machine.trace().nameCalls(number -> table.row(number) == null ? "" : table.row(number).name());
        }
        Smccc smccc = new Smccc(table, new Psci(), entropy);
        // The root VM's program is an actor of its own, so its vCPU has nothing to do.
        VcpuWorkFactory all = (vmid, index) -> vmid == RootVmBoot.VMID ? Optional.of(new RootVcpuWork())
                : works.forVcpu(vmid, index);
        machine.connect(new EngineFactory(memory, all, features, translator, board.devices()), this::startThread, table,
                smccc);
        Partition root = objects.add(new Partition(ids.next()));
        for (int line = 0; line < HwIrq.COUNT; line++) {
            interrupts.add(objects.add(new HwIrq(ids.next(), HwIrq.FIRST + line)));
        }
        board.wire(this::hardwareLine);
        new RootVmBoot(this::create, table, smccc, root, memoryTree).boot(rootVm, pcpus.size(), interrupts,
                board);
    }

    private static CpuFeatures features(CpuModel cpu) {
        return switch (cpu) {
            case BASE -> CpuFeatures.BASE;
            case DEFAULT -> CpuFeatures.DEFAULT;
            case MAX -> CpuFeatures.MAX;
        };
    }

    /** {@return the whole interface} */
    static List<List<HypercallRow>> groups(RandomGenerator entropy, LongSupplier clock, ObjectFactory factory,
            MemoryTree memoryTree) {
        return List.of(
                new IdentifyCalls(entropy, clock).rows(),
                new PartitionCalls(factory).rows(),
                ObjectCalls.rows(), CSpaceCalls.rows(), DoorbellCalls.rows(), MsgQueueCalls.rows(),
                AddrspaceCalls.rows(), new MappingCalls(memoryTree).rows(), new MemExtentCalls(memoryTree).rows(),
                VicCalls.rows(), HwIrqCalls.rows(), VcpuCalls.rows(), VpmCalls.rows(),
                VirtioMmioCalls.rows(), VirtioInputCalls.rows());
    }

    private static final class RootVcpuWork implements VcpuWork {
        @Override
        public void boot(Context context, long entry, long x0) {
            // Nothing to prepare.
        }

        @Override
        public Result run(Context context) {
            return Result.IDLE;
        }
    }

    private void startThread(Vcpu vcpu) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        threads.add(ended);
        supervisor.tell(new VcpuSupervisor.Start(vcpu, () -> {
            threads.remove(ended);
            ended.complete(null);
        }));
    }

    private KernelObject create(ObjectType type, Partition partition) {
        int id = ids.next();
        KernelObject object = switch (type) {
            case CSPACE -> new CSpace(id, entropy);
            case ADDRSPACE -> Addrspace.create(id, system, memory, vmids, devicePages);
            case MEMEXTENT -> new MemExtent(id, memoryTree, partition);
            case THREAD -> new Vcpu(id, machine);
            case DOORBELL -> new Doorbell(id, system);
            case MSGQUEUE -> new MsgQueue(id, system);
            case VIC -> new Vic(id, machine.trace());
            case VPM_GROUP -> new VpmGroup(id);
            case VIRTIO_MMIO -> new VirtioMmio(id, system, memory, devicePages);
            case PARTITION, HWIRQ, WATCHDOG -> null;
        };
        return object == null ? null : objects.add(object);
    }

    /** {@return counters of the VM's vCPUs, empty when it has none} Any thread. */
    public List<VcpuStatistics> statistics(int vmid) {
        return machine.registry().vcpus(vmid).stream().map(Vcpu::statistics).toList();
    }

    /** {@return registers and last exits of the VM's vCPUs} Any thread; exact for those that do not execute. */
    public List<VcpuDescription> describeVcpus(int vmid) {
        return machine.registry().vcpus(vmid).stream().map(Vcpu::describe).toList();
    }

    /** {@return VMIDs that have vCPUs} */
    public List<Integer> vmids() {
        return machine.registry().vmids();
    }

    /** {@return what the physical CPUs are doing} */
    public CompletionStage<List<PcpuState>> describePcpus() {
        CompletionStage<List<PcpuState>> all = CompletableFuture.completedFuture(new ArrayList<>());
        for (Pcpu pcpu : pcpus) {
            CompletionStage<PcpuState> one =
                    AskPattern.ask(pcpu.actor(), PcpuActor.Describe::new, DESCRIBE_TIMEOUT, system.scheduler());
            all = all.thenCombine(one, (list, state) -> {
                list.add(state);
                return list;
            });
        }
        return all;
    }

    /**
     * {@return the object model as it is now} Exact when nothing changes meanwhile. Not from an object's actor; any other
     * thread, a vCPU's in a {@link TraceSink} included.
     */
    public MachineState state() {
        return MachineState.of(objects, memoryTree.owners());
    }

    /** {@return the machine's memory, for the owner of the process} */
    public PhysicalMemory memory() {
        return memory;
    }

    /**
     * {@return the wire of a hardware interrupt, for the model of a device of this machine}
     *
     * @throws IllegalArgumentException when the machine has no such interrupt
     */
    public HardwareLine hardwareLine(int intid) {
        return interrupts.stream().filter(line -> line.intid() == intid).findFirst().orElseThrow(
                () -> new IllegalArgumentException("the machine has no hardware interrupt " + intid));
    }

    /**
     * Makes an SError pending on a vCPU, as the model of a device does that notices too late that a write failed. The
     * guest takes it when PSTATE.A lets it; a vCPU that is off forgets it. Any thread.
     *
     * @param index of the vCPU in its VM
     * @param iss   of the guest's ESR_EL1
     * @throws IllegalArgumentException when there is no such vCPU
     */
    public void systemError(int vmid, int index, int iss) {
        machine.registry().vcpus(vmid).stream().filter(vcpu -> vcpu.index() == index).findFirst().orElseThrow(
                () -> new IllegalArgumentException("VM %d has no vCPU %d".formatted(vmid, index))).systemError(iss);
    }

    /** {@return completes when a critical VM powers the machine off or resets it} */
    public CompletionStage<Machine.PowerEvent> powerEvent() {
        return powerEvent.copy();
    }

    /**
     * {@return completes, with a reason for people, when something failed that no VM of the machine can do without: the
     * root or the primary VM, a physical CPU for good} All that is left is to {@link #close}.
     */
    public CompletionStage<String> failure() {
        return failure.copy();
    }

    /** {@return what the translator did so far; empty when guest code is only interpreted} */
    public Optional<Translator.Statistics> translated() {
        return Optional.ofNullable(translator).map(Translator::statistics);
    }

    /** Stops every vCPU and the scheduler, then gives the memory back. Blocks until the threads have ended. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        machine.registry().all().forEach(Vcpu::shutDown);
        boolean ended = awaitThreads();
        pcpus.forEach(pcpu -> pcpu.actor().tell(PcpuActor.Stop.INSTANCE));
        timer.close();
        if (translator != null) {
            translator.close();
            LOG.info("translated: {}", translator.statistics());
            if (translator.gates() instanceof LockStep lockStep) {
                LOG.warn("{}", lockStep);
            }
        }
        if (ended) {
            memory.close();
        } else {
            // An unmapped arena under a running thread kills the process; a leak does not.
            LOG.error("vCPU threads did not end within {}; the machine's memory is not given back", STOP_TIMEOUT);
        }
    }

    private boolean awaitThreads() {
        CompletableFuture<Void> all = CompletableFuture.allOf(threads.toArray(new CompletableFuture<?>[0]));
        try {
            all.get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
        return false;
    }
}
