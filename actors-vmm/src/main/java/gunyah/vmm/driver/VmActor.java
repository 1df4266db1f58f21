package gunyah.vmm.driver;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HandlerSetup;
import gunyah.rm.rpc.HypResource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Life of one VM (v17 10, 26 to 30/35): the start and teardown sequences, step by step, each ended by a message. Never
 * blocks; the Resource Manager's notifications arrive between the steps, so none can be waited for in vain.
 *
 * <p>A message that breaks is our bug. It is taken once more, since somebody waits for what it begins; every message can
 * be: an answer counts only in the step it belongs to. If it breaks again its step has failed. Either way the VM ends,
 * with a reason, and everything it had goes back.
 */
final class VmActor {
    static final int NO_VMID = 0xffff;

    sealed interface Command {
    }

    record Start(CompletableFuture<Void> done) implements Command {
    }

    record Close(CompletableFuture<Void> done) implements Command {
    }

    /** VM_EXITED. */
    record Exited(ExitInfo info) implements Command {
    }

    /** VM_STATUS with RESET. */
    enum ResetDone implements Command {
        INSTANCE
    }

    private record StepDone(Enum<?> step, Object value, Throwable failure) implements Command {
    }

    private enum StartStep {
        ALLOC_VMID, LEND_DTB, CONFIG_IMAGE, SET_DEMAND_PAGING, SET_ADDRESS_LAYOUT, INIT, SET_BOOT_CONTEXT,
        GET_HYP_RESOURCES, START
    }

    private enum TeardownStep {
        STOP, AWAIT_EXIT, RECLAIM_DTB, UNBIND, RECLAIM_PAGES, RESET, AWAIT_RESET, DEALLOC_VMID
    }

    private static final Logger LOG = LoggerFactory.getLogger(VmActor.class);
    private static final CompletionStage<Object> NOTHING_TO_DO = CompletableFuture.completedStage(null);

    private final ActorContext<Command> context;
    private final GunyahVm vm;
    private final RmClient rm;
    private final VmDirectory directory;
    private final Executor worker;
    private final Duration stepLimit;
    private final List<CompletableFuture<Void>> starters = new ArrayList<>();
    private final List<CompletableFuture<Void>> closers = new ArrayList<>();
    private final CompletableFuture<Void> exitSeen = new CompletableFuture<>();
    private final CompletableFuture<Void> resetSeen = new CompletableFuture<>();
    /** What this start uses, whatever is set meanwhile. */
    private GunyahVm.Dtb dtb;
    private MemoryMap.Parcel dtbParcel;
    private int dtbHandle;
    private boolean dtbLent;
    private boolean started;
    private boolean resetAccepted;
    /** What the next message is handed to. */
    private Function<Command, Behavior<Command>> state = this::created;

    private VmActor(ActorContext<Command> context, GunyahVm vm, RmClient rm, VmDirectory directory, Executor worker,
            Duration stepLimit) {
        this.context = context;
        this.vm = vm;
        this.rm = rm;
        this.directory = directory;
        this.worker = worker;
        this.stepLimit = stepLimit;
    }

    /**
     * @param worker    runs what takes hypercall after hypercall
     * @param stepLimit longest wait for a notification during teardown
     */
    static Behavior<Command> create(GunyahVm vm, RmClient rm, VmDirectory directory, Executor worker,
            Duration stepLimit) {
        return Behaviors.setup(context -> {
            VmActor actor = new VmActor(context, vm, rm, directory, worker, stepLimit);
            Function<Command, Behavior<Command>> handler =
                    HandlerSetup.surround(context, command -> actor.state.apply(command));
            return Behaviors.receiveMessage(command -> actor.attempt(handler, command));
        });
    }

    private Behavior<Command> attempt(Function<Command, Behavior<Command>> handler, Command command) {
        try {
            return handler.apply(command);
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{}: its driver failed at {}", vm.name(), command, bug);
            vm.failed("its driver failed: " + bug);
        }
        try {
            return handler.apply(command);
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{}: its driver fails at {} again", vm.name(), command, bug);
            return givenUp(command, new GunyahError(Errno.EIO, "the driver failed: " + bug));
        }
    }

    private Behavior<Command> givenUp(Command command, GunyahError error) {
        switch (command) {
            case Start start -> start.done.completeExceptionally(error);
            case Close close -> close.done.complete(null);
            case Exited ignored -> exitSeen.complete(null);
            case ResetDone ignored -> resetSeen.complete(null);
            case StepDone done -> {
                if (done.failure == null) {
                    context.getSelf().tell(new StepDone(done.step, null, error));
                }
            }
        }
        return Behaviors.same();
    }

    private Behavior<Command> become(Function<Command, Behavior<Command>> next) {
        state = next;
        return Behaviors.same();
    }

    private Behavior<Command> created(Command command) {
        return switch (command) {
            case Start start -> beginStart(start);
            case Close close -> beginTeardown(close);
            case Exited ignored -> Behaviors.same();
            case ResetDone ignored -> Behaviors.same();
            case StepDone ignored -> Behaviors.same();
        };
    }

    private Behavior<Command> starting(StartStep step) {
        return become(command -> switch (command) {
            case Start start -> {
                starters.add(start.done);
                yield Behaviors.same();
            }
            case Close close -> {
                closers.add(close.done);
                yield Behaviors.same();
            }
            case Exited exited -> onExited(exited);
            case ResetDone ignored -> Behaviors.same();
            case StepDone done -> done.step == step ? onStartStep(step, done) : Behaviors.same();
        });
    }

    /** Running, exited, or failed to start. */
    private Behavior<Command> settled() {
        return become(command -> switch (command) {
            case Start start -> {
                answer(start.done);
                yield Behaviors.same();
            }
            case Close close -> beginTeardown(close);
            case Exited exited -> onExited(exited);
            case ResetDone ignored -> Behaviors.same();
            case StepDone ignored -> Behaviors.same();
        });
    }

    private Behavior<Command> tearingDown(TeardownStep step) {
        return become(command -> switch (command) {
            case Start start -> {
                start.done.completeExceptionally(new GunyahError(Errno.ENODEV, "the VM is being closed"));
                yield Behaviors.same();
            }
            case Close close -> {
                closers.add(close.done);
                yield Behaviors.same();
            }
            case Exited exited -> onExited(exited);
            case ResetDone ignored -> {
                vm.status(VmStatus.RESET);
                resetSeen.complete(null);
                yield Behaviors.same();
            }
            case StepDone done -> done.step == step ? onTeardownStep(step, done) : Behaviors.same();
        });
    }

    private Behavior<Command> onExited(Exited exited) {
        VmStatus status = vm.status();
        if (status == VmStatus.READY || status == VmStatus.RUNNING) {
            vm.exited(exited.info);
            exitSeen.complete(null);
        }
        return Behaviors.same();
    }

    private void answer(CompletableFuture<Void> start) {
        if (vm.status() == VmStatus.RUNNING) {
            start.complete(null);
        } else {
            start.completeExceptionally(new GunyahError(Errno.ENODEV, "the VM is " + vm.status()));
        }
    }

    // ---- start

    private Behavior<Command> beginStart(Start start) {
        starters.add(start.done);
        vm.starting(true);
        return issue(StartStep.ALLOC_VMID);
    }

    private Behavior<Command> issue(StartStep step) {
        pipe(step, () -> request(step));
        return starting(step);
    }

    private interface Request {
        CompletionStage<?> send();
    }

    /** A request that cannot even be made fails like one that was refused. */
    private void pipe(Enum<?> step, Request request) {
        CompletionStage<?> stage;
        try {
            stage = request.send();
        } catch (RuntimeException e) {
            stage = CompletableFuture.failedStage(e);
        }
        context.pipeToSelf(stage, (value, failure) -> new StepDone(step, value, failure));
    }

    private CompletionStage<?> request(StartStep step) {
        int vmid = vm.vmid();
        return switch (step) {
            case ALLOC_VMID -> rm.allocVmid();
            case LEND_DTB -> {
                MemoryMap.Parcel parcel = dtbParcel();
                vm.memory().assign(parcel);
                dtbParcel = parcel;
                yield rm.lend(vmid, dtbParcel.permissions(), dtbParcel.entries());
            }
            case CONFIG_IMAGE -> rm.configureImage(vmid, dtbHandle, dtb.gpa() - dtbParcel.gpa(), dtb.size());
            case SET_DEMAND_PAGING -> {
                List<RmClient.Range> lent = vm.memory().lentRanges();
                yield lent.isEmpty() ? NOTHING_TO_DO : rm.setDemandPaging(vmid, lent);
            }
            case SET_ADDRESS_LAYOUT -> rm.setImageLayout(vmid, dtbParcel.gpa(), dtbParcel.size());
            case INIT -> rm.init(vmid);
            case SET_BOOT_CONTEXT -> bootContext(vm.bootRegisters().entrySet().iterator());
            case GET_HYP_RESOURCES -> rm.hypResources(vmid);
            case START -> {
                vm.memory().adopt(dtbParcel);
                yield rm.start(vmid);
            }
        };
    }

    private MemoryMap.Parcel dtbParcel() {
        dtb = vm.dtb();
        if (dtb.size() == 0) {
            throw new GunyahError(Errno.EINVAL, "the VM has no device tree");
        }
        return vm.memory().parcel(dtb.gpa(), dtb.size());
    }

    private CompletionStage<Void> bootContext(Iterator<Map.Entry<Integer, Long>> registers) {
        if (!registers.hasNext()) {
            return CompletableFuture.completedStage(null);
        }
        Map.Entry<Integer, Long> register = registers.next();
        return rm.setBootContext(vm.vmid(), register.getKey(), register.getValue())
                .thenCompose(ignored -> bootContext(registers));
    }

    private Behavior<Command> onStartStep(StartStep step, StepDone done) {
        if (done.failure != null) {
            return startFailed(step, cause(done.failure));
        }
        switch (step) {
            case ALLOC_VMID -> {
                vm.vmid((Integer) done.value);
                directory.register(vm.vmid(), context.getSelf());
                vm.status(VmStatus.LOAD);
            }
            case LEND_DTB -> {
                dtbHandle = (Integer) done.value;
                dtbLent = true;
                vm.memory().parcelLent(dtbParcel);
            }
            case INIT -> vm.status(VmStatus.READY);
            case GET_HYP_RESOURCES -> {
                for (Object entry : (List<?>) done.value) {
                    vm.tickets().offer(Resource.of((HypResource) entry));
                }
            }
            case START -> {
                return startedUp();
            }
            case CONFIG_IMAGE, SET_DEMAND_PAGING, SET_ADDRESS_LAYOUT, SET_BOOT_CONTEXT -> { }
        }
        return issue(StartStep.values()[step.ordinal() + 1]);
    }

    /** The guest may have ended before the answer to VM_START came; then it stays EXITED. */
    private Behavior<Command> startedUp() {
        started = true;
        if (vm.status() == VmStatus.READY) {
            vm.status(VmStatus.RUNNING);
        }
        return settle(null);
    }

    private Behavior<Command> startFailed(StartStep step, Throwable failure) {
        GunyahError error = failure instanceof GunyahError known
                ? new GunyahError(known.errno(), "starting %s failed at %s: %s"
                        .formatted(vm.name(), step, known.getMessage()))
                : new GunyahError(Errno.EIO, "starting %s failed at %s: %s".formatted(vm.name(), step, failure));
        if (step == StartStep.ALLOC_VMID) {
            vm.starting(false);
            starters.forEach(starter -> starter.completeExceptionally(error));
            starters.clear();
            return closers.isEmpty() ? become(this::created) : teardown();
        }
        if (step == StartStep.LEND_DTB && dtbParcel != null) {
            vm.memory().release(dtbParcel);
        }
        if (step == StartStep.INIT) {
            vm.status(VmStatus.INIT_FAILED);
        }
        if (step == StartStep.START) {
            vm.memory().disown(dtbParcel);
        }
        return settle(error);
    }

    private Behavior<Command> settle(GunyahError error) {
        vm.starting(false);
        vm.wakeVcpus();
        for (CompletableFuture<Void> starter : starters) {
            if (error == null) {
                starter.complete(null);
            } else {
                starter.completeExceptionally(error);
            }
        }
        starters.clear();
        return closers.isEmpty() ? settled() : teardown();
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    // ---- teardown

    private Behavior<Command> beginTeardown(Close close) {
        closers.add(close.done);
        return teardown();
    }

    private Behavior<Command> teardown() {
        return issue(TeardownStep.STOP);
    }

    private Behavior<Command> issue(TeardownStep step) {
        pipe(step, () -> request(step));
        return tearingDown(step);
    }

    private CompletionStage<?> request(TeardownStep step) {
        VmStatus status = vm.status();
        return switch (step) {
            case STOP -> status == VmStatus.RUNNING ? rm.stop(vm.vmid()) : NOTHING_TO_DO;
            case AWAIT_EXIT -> status == VmStatus.RUNNING ? limited(exitSeen) : NOTHING_TO_DO;
            case RECLAIM_DTB -> dtbLent && !started ? rm.reclaim(dtbHandle) : NOTHING_TO_DO;
            case UNBIND -> unbind(vm.takeFunctions().iterator());
            case RECLAIM_PAGES -> CompletableFuture.supplyAsync(() -> vm.memory().release(), worker);
            case RESET -> needsReset(status) ? rm.reset(vm.vmid()) : NOTHING_TO_DO;
            case AWAIT_RESET -> resetAccepted ? limited(resetSeen) : NOTHING_TO_DO;
            case DEALLOC_VMID -> {
                directory.unregister(vm.vmid());
                yield vm.vmid() == NO_VMID ? NOTHING_TO_DO : rm.deallocVmid(vm.vmid());
            }
        };
    }

    private static boolean needsReset(VmStatus status) {
        return status == VmStatus.EXITED || status == VmStatus.READY || status == VmStatus.INIT_FAILED
                || status == VmStatus.RUNNING;
    }

    private CompletionStage<Void> limited(CompletableFuture<Void> event) {
        return event.copy().orTimeout(stepLimit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** One after the other, newest first. */
    private static CompletionStage<Void> unbind(Iterator<VmFunction> functions) {
        if (!functions.hasNext()) {
            return CompletableFuture.completedStage(null);
        }
        return functions.next().unbind().thenCompose(ignored -> unbind(functions));
    }

    private Behavior<Command> onTeardownStep(TeardownStep step, StepDone done) {
        if (done.failure != null) {
            LOG.warn("closing {}: {} failed: {}", vm.name(), step, cause(done.failure).toString());
        }
        switch (step) {
            case RECLAIM_DTB -> {
                if (dtbLent && !started) {
                    if (done.failure == null) {
                        vm.memory().parcelReturned(dtbParcel);
                        vm.memory().release(dtbParcel);
                    } else {
                        vm.memory().quarantine(dtbParcel);
                    }
                }
            }
            case RECLAIM_PAGES -> {
                if (done.value instanceof Long kept && kept != 0) {
                    LOG.warn("closing {}: {} pages did not come back", vm.name(), kept);
                }
            }
            case RESET -> resetAccepted = done.failure == null && needsReset(vm.status());
            case DEALLOC_VMID -> {
                closers.forEach(closer -> closer.complete(null));
                return Behaviors.stopped();
            }
            case STOP, AWAIT_EXIT, UNBIND, AWAIT_RESET -> { }
        }
        return issue(TeardownStep.values()[step.ordinal() + 1]);
    }
}
