package gunyah.runtime;

import gunyah.hyp.Hypervisor;
import gunyah.hyp.VcpuStatistics;
import gunyah.vmm.RunningVm;
import gunyah.vmm.VmExit;
import gunyah.vmm.balloon.VirtioBalloon;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A guest of {@link ActorMachine}: one VM after the other, when it is started again after a reset. What the vCPUs of one
 * counted and where they stood is read at the last moment before it is taken apart, since both go with them. Thread safe:
 * the monitor guards which VM is the current one.
 */
final class ActorGuest implements Machine.Guest {
    private final Hypervisor hypervisor;
    private final Function<Consumer<RunningVm>, CompletionStage<RunningVm>> launcher;
    private final boolean reboots;
    private final Optional<TraceFile> trace;
    private final CompletableFuture<Machine.Guest> launched = new CompletableFuture<>();
    private final CompletableFuture<VmOutcome> exit = new CompletableFuture<>();
    private final ByteArrayOutputStream typedBetween = new ByteArrayOutputStream();
    private RunningVm current;
    private boolean stopped;
    private GuestCounters before = GuestCounters.ZERO;
    private List<VcpuStatistics> lastStatistics;
    private String lastDescription;

    /**
     * @param launcher starts a VM, and tells its argument when that VM ends and its vCPUs are still there
     * @param reboots  whether to start another when one asks for a reset
     */
    ActorGuest(Hypervisor hypervisor, Function<Consumer<RunningVm>, CompletionStage<RunningVm>> launcher, boolean reboots,
            Optional<TraceFile> trace) {
        this.hypervisor = hypervisor;
        this.launcher = launcher;
        this.reboots = reboots;
        this.trace = trace;
    }

    void launch() {
        launcher.apply(this::ending).whenComplete((vm, refused) -> {
            if (refused == null) {
                running(vm);
            } else {
                notLaunched(refused);
            }
        });
    }

    /** {@return this, once it runs} */
    CompletionStage<Machine.Guest> launched() {
        return launched;
    }

    private void running(RunningVm vm) {
        byte[] keys;
        boolean late;
        synchronized (this) {
            current = vm;
            lastStatistics = null;
            lastDescription = null;
            late = stopped;
            keys = typedBetween.toByteArray();
            typedBetween.reset();
            if (keys.length > 0) {
                vm.type(keys);
            }
        }
        launched.complete(this);
        if (late) {
            vm.stop();
        }
        vm.exit().whenComplete((end, failure) -> {
            if (failure != null) {
                exit.completeExceptionally(failure);
            } else if (startsAgain(end)) {
                launch();
            } else {
                finish(end);
            }
        });
    }

    private synchronized boolean startsAgain(VmExit end) {
        if (end.kind() != VmExit.Kind.RESET || !reboots || stopped || exit.isDone()) {
            return false;
        }
        trace.ifPresent(file -> file.exited(current.vmid(), VmOutcome.Kind.RESET.label(), end.reason()));
        before = counters();
        current = null;
        return true;
    }

    private void finish(VmExit end) {
        VmOutcome outcome = outcome(end);
        // Before: who sees the exit finds it in the trace.
        trace.ifPresent(file -> file.exited(vm().vmid(), outcome.kind().label(), outcome.reason()));
        exit.complete(outcome);
    }

    private synchronized RunningVm vm() {
        return current;
    }

    private void notLaunched(Throwable failure) {
        Throwable cause = failure instanceof CompletionException && failure.getCause() != null ? failure.getCause()
                : failure;
        if (launched.completeExceptionally(cause)) {
            exit.completeExceptionally(cause);
        } else {
            exit.complete(new VmOutcome(VmOutcome.Kind.CRASHED,
                    "it could not be started again: " + cause.getMessage(), describe()));
        }
    }

    /** The machine failed under it: nobody will tell of its end. */
    void machineFailed(String reason) {
        IllegalStateException failed = new IllegalStateException("the machine failed: " + reason);
        if (launched.completeExceptionally(failed)) {
            exit.completeExceptionally(failed);
        } else {
            exit.complete(new VmOutcome(VmOutcome.Kind.CRASHED, "the machine failed: " + reason, describe()));
        }
    }

    /** The VM ended, and its vCPUs are still there. */
    private synchronized void ending(RunningVm ended) {
        lastStatistics = hypervisor.statistics(ended.vmid());
        lastDescription = VcpuReport.of(hypervisor.describeVcpus(ended.vmid()));
    }

    @Override
    public synchronized void type(byte[] keys) {
        if (current == null) {
            typedBetween.writeBytes(keys);
        } else {
            current.type(keys);
        }
    }

    @Override
    public CompletionStage<VmOutcome> exit() {
        return exit;
    }

    private VmOutcome outcome(VmExit end) {
        return switch (end.kind()) {
            case POWERED_OFF -> new VmOutcome(VmOutcome.Kind.POWERED_OFF, end.reason(), "");
            case RESET -> new VmOutcome(VmOutcome.Kind.RESET, end.reason(), "");
            case CRASHED -> new VmOutcome(VmOutcome.Kind.CRASHED, end.reason(), describe());
            case STOPPED -> new VmOutcome(VmOutcome.Kind.STOPPED, end.reason(), "");
        };
    }

    @Override
    public synchronized GuestCounters counters() {
        if (current == null) {
            return before;
        }
        List<VcpuStatistics> vcpus = lastStatistics == null ? hypervisor.statistics(current.vmid()) : lastStatistics;
        gunyah.vmm.VmStatistics own = current.statistics();
        return before.plus(GuestCounters.of(vcpus, own.pagesLent(), own.pagesReturned()));
    }

    @Override
    public synchronized String describe() {
        if (lastDescription != null) {
            return lastDescription;
        }
        return current == null ? "it is being started\n" : VcpuReport.of(hypervisor.describeVcpus(current.vmid()));
    }

    /** While it starts again there is none to tell: its next life begins with what was configured. */
    @Override
    public void balloon(long bytes) {
        RunningVm vm = vm();
        if (vm != null) {
            vm.balloon().orElseThrow(() -> new IllegalStateException("the VM has no balloon")).target(bytes);
        }
    }

    @Override
    public long ballooned() {
        return Optional.ofNullable(vm()).flatMap(RunningVm::balloon).map(VirtioBalloon::inflatedBytes).orElse(0L);
    }

    @Override
    public void stop() {
        RunningVm vm;
        synchronized (this) {
            stopped = true;
            vm = current;
        }
        if (vm != null) {
            vm.stop();
        }
    }

    /** Stops the guest, also one that is still being launched. {@return completes when it is gone, however it ended} */
    CompletableFuture<?> stopped() {
        stop();
        return exit.handle((outcome, failure) -> null);
    }
}
