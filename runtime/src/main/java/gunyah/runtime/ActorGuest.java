package gunyah.runtime;

import gunyah.hyp.Hypervisor;
import gunyah.hyp.VcpuStatistics;
import gunyah.vmm.RunningVm;
import gunyah.vmm.VmExit;
import gunyah.vmm.balloon.VirtioBalloon;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A guest of {@link ActorMachine}. What its vCPUs counted and where they stood is read at the last moment before the VM
 * is taken apart, since both go with them. Thread safe.
 */
final class ActorGuest implements Machine.Guest {
    private final Hypervisor hypervisor;
    private final CompletableFuture<RunningVm> vm = new CompletableFuture<>();
    private final CompletableFuture<VmOutcome> exit = new CompletableFuture<>();
    private volatile List<VcpuStatistics> lastStatistics;
    private volatile String lastDescription;

    ActorGuest(Hypervisor hypervisor, Optional<TraceFile> trace) {
        this.hypervisor = hypervisor;
        vm.thenCompose(RunningVm::exit).thenApply(this::outcome).whenComplete((outcome, failure) -> {
            if (failure != null) {
                exit.completeExceptionally(failure);
                return;
            }
            // Before: who sees the exit finds it in the trace.
            trace.ifPresent(file -> file.exited(vm.join().vmid(), outcome.kind().label(), outcome.reason()));
            exit.complete(outcome);
        });
    }

    /** {@return this, once it runs} */
    CompletionStage<Machine.Guest> launched() {
        return vm.thenApply(running -> this);
    }

    void running(RunningVm running) {
        vm.complete(running);
    }

    void notLaunched(Throwable failure) {
        vm.completeExceptionally(failure);
    }

    /** The machine failed under it: nobody will tell of its end. */
    void machineFailed(String reason) {
        if (!vm.completeExceptionally(new IllegalStateException("the machine failed: " + reason))) {
            exit.complete(new VmOutcome(VmOutcome.Kind.CRASHED, "the machine failed: " + reason, describe()));
        }
    }

    /** The VM ended, and its vCPUs are still there. */
    void ending(RunningVm ended) {
        lastStatistics = hypervisor.statistics(ended.vmid());
        lastDescription = VcpuReport.of(hypervisor.describeVcpus(ended.vmid()));
    }

    @Override
    public void type(byte[] keys) {
        vm.join().type(keys);
    }

    @Override
    public CompletionStage<VmOutcome> exit() {
        return exit;
    }

    private VmOutcome outcome(VmExit exit) {
        return switch (exit.kind()) {
            case POWERED_OFF -> new VmOutcome(VmOutcome.Kind.POWERED_OFF, exit.reason(), "");
            case RESET -> new VmOutcome(VmOutcome.Kind.RESET, exit.reason(), "");
            case CRASHED -> new VmOutcome(VmOutcome.Kind.CRASHED, exit.reason(), describe());
            case STOPPED -> new VmOutcome(VmOutcome.Kind.STOPPED, exit.reason(), "");
        };
    }

    @Override
    public GuestCounters counters() {
        RunningVm running = vm.join();
        List<VcpuStatistics> vcpus = lastStatistics == null ? hypervisor.statistics(running.vmid()) : lastStatistics;
        gunyah.vmm.VmStatistics own = running.statistics();
        return GuestCounters.of(vcpus, own.pagesLent(), own.pagesReturned());
    }

    @Override
    public String describe() {
        return lastDescription == null ? VcpuReport.of(hypervisor.describeVcpus(vm.join().vmid())) : lastDescription;
    }

    @Override
    public void balloon(long bytes) {
        vm.join().balloon().orElseThrow(() -> new IllegalStateException("the VM has no balloon")).target(bytes);
    }

    @Override
    public long ballooned() {
        return vm.join().balloon().map(VirtioBalloon::inflatedBytes).orElse(0L);
    }

    @Override
    public void stop() {
        vm.join().stop();
    }

    /** Stops the guest, also one that is still being launched. {@return completes when it is gone, however it ended} */
    CompletableFuture<?> stopped() {
        vm.thenAccept(RunningVm::stop);
        return exit().toCompletableFuture().handle((outcome, failure) -> null);
    }
}
