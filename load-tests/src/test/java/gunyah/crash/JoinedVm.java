package gunyah.crash;

import gunyah.hyp.Hypervisor;
import gunyah.vmm.RunningVm;
import gunyah.vmm.VmExit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** One launched guest of {@code joined.c}: what it printed, and how it ended. Thread safe. */
final class JoinedVm {
    /**
     * How a guest ended.
     *
     * @param kind   null when it was not launched
     * @param reason of its end, with all that is known of its vCPUs at that moment
     */
    record End(VmExit.Kind kind, String reason) {
    }

    private static final int REASON_SHOWN = 200;

    private final String name;
    private final int rounds;
    private final Hypervisor hypervisor;
    private final AtomicInteger printed = new AtomicInteger();
    /** Of both vCPUs. */
    private final AtomicInteger firstDone = new AtomicInteger();
    private final AtomicInteger secondDone = new AtomicInteger();
    private final CompletableFuture<End> end = new CompletableFuture<>();
    private final CompletableFuture<RunningVm> running = new CompletableFuture<>();
    private volatile String lastDescription = "";

    JoinedVm(String name, int rounds, Hypervisor hypervisor) {
        this.name = name;
        this.rounds = rounds;
        this.hypervisor = hypervisor;
    }

    void follow(CompletionStage<RunningVm> launch) {
        launch.whenComplete((vm, failure) -> {
            if (failure != null) {
                end.complete(new End(null, cause(failure).toString()));
                running.completeExceptionally(failure);
                return;
            }
            vm.exit().whenComplete((exit, lost) -> end.complete(lost == null
                    ? new End(exit.kind(), exit.reason() + " " + lastDescription)
                    : new End(VmExit.Kind.CRASHED, cause(lost).toString())));
            running.complete(vm);
        });
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    void ending(RunningVm vm) {
        lastDescription = hypervisor.describeVcpus(vm.vmid()).toString();
    }

    void print(byte[] bytes) {
        printed.addAndGet(bytes.length);
        for (byte b : bytes) {
            if (b == '.') {
                firstDone.incrementAndGet();
            } else {
                secondDone.incrementAndGet();
            }
        }
    }

    String name() {
        return name;
    }

    /** {@return bytes on its console so far} */
    int printed() {
        return printed.get();
    }

    /** {@return rounds that both its vCPUs did} */
    int rounds() {
        return Math.min(firstDone.get(), secondDone.get());
    }

    /** {@return whether it lived all the rounds it was to} */
    boolean livedOn() {
        return firstDone.get() == rounds;
    }

    CompletableFuture<End> end() {
        return end;
    }

    void stop() {
        running.thenAccept(RunningVm::stop);
    }

    private static String shortly(String text) {
        return text.substring(0, Math.min(REASON_SHOWN, text.length()));
    }

    @Override
    public String toString() {
        return "%s printed %d, %d of %d rounds, %s".formatted(name, printed.get(), firstDone.get(), rounds,
                shortly(String.valueOf(end.getNow(null))));
    }
}
