package gunyah.runtime;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** One VM: type at its console, read it, wait for its end, ask what it used. Thread safe. */
public final class Vm {
    /** The console did not show what was waited for; the message holds its last lines. */
    public static final class NotSeen extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotSeen(String message) {
            super(message);
        }
    }

    private static final int TAIL = 2000;

    private final String name;
    private final Console console;
    private final Machine.Guest guest;
    private final LongSupplier clock;
    private final long startedNs;
    private final CompletableFuture<VmOutcome> exit = new CompletableFuture<>();
    private volatile long endedNs;

    Vm(String name, Console console, Machine.Guest guest, LongSupplier clock, long startedNs) {
        this.name = name;
        this.console = console;
        this.guest = guest;
        this.clock = clock;
        this.startedNs = startedNs;
    }

    /** Begins to follow the guest's end; called once, before anybody else has this VM. */
    void follow() {
        guest.exit().whenComplete((outcome, failure) -> {
            endedNs = clock.getAsLong();
            console.close();
            if (failure == null) {
                exit.complete(outcome);
            } else {
                exit.complete(new VmOutcome(VmOutcome.Kind.CRASHED, String.valueOf(failure.getMessage()),
                        guest.describe()));
            }
        });
    }

    public String name() {
        return name;
    }

    public Console console() {
        return console;
    }

    /** Types bytes at the console. They queue until the guest takes them; never blocks. */
    public void type(byte[] keys) {
        guest.type(keys.clone());
    }

    /** Types text, UTF-8. A line ends with {@code \r} or {@code \n} as the guest likes it. */
    public void type(String text) {
        type(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Waits until the console shows {@code text} after what was awaited before. Blocks.
     *
     * @throws NotSeen when {@code timeout} is over or the VM ended first
     */
    public void awaitConsole(String text, Duration timeout) {
        awaitConsole(Pattern.compile(text, Pattern.LITERAL), timeout);
    }

    /** Waits for a match; as {@link #awaitConsole(String, Duration)}. {@return the match} */
    public MatchResult awaitConsole(Pattern pattern, Duration timeout) {
        try {
            return console.await(pattern, timeout).orElseThrow(() -> notSeen(pattern, timeout));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotSeen("interrupted while waiting for '%s'".formatted(pattern));
        }
    }

    private NotSeen notSeen(Pattern pattern, Duration timeout) {
        String text = console.text();
        String state = exit.isDone() ? "ended (%s)".formatted(exit.join().reason()) : "runs\n" + describe();
        return new NotSeen("VM %s did not print '%s' in %s; it %s\nlast output:\n%s".formatted(name, pattern, timeout,
                state, text.substring(Math.max(0, text.length() - TAIL))));
    }

    /** {@return completes when the VM ended and its resources came back} */
    public CompletionStage<VmOutcome> exit() {
        return exit.minimalCompletionStage();
    }

    /**
     * Waits for the end. Blocks.
     *
     * @throws NotSeen when {@code timeout} is over first
     */
    public VmOutcome awaitExit(Duration timeout) {
        try {
            return exit.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            String text = console.text();
            throw new NotSeen("VM %s still runs after %s\n%s\nlast output:\n%s".formatted(name, timeout, describe(),
                    text.substring(Math.max(0, text.length() - TAIL))));
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotSeen("interrupted while waiting for the exit of " + name);
        }
    }

    /** {@return what the VM used so far, or in all once it ended} */
    public VmStatistics statistics() {
        GuestCounters counters = guest.counters();
        boolean ended = exit.isDone();
        long until = ended ? endedNs : clock.getAsLong();
        return new VmStatistics(name, ended ? exit.join().kind().label() : "running", counters.instructions(),
                (until - startedNs) / 1e9, counters.cpuNs() / 1e9, counters.stage2Faults(), counters.hypercalls(),
                counters.mmioExits(), counters.virqs(), counters.pagesLent(), counters.pagesReturned());
    }

    /** {@return where each vCPU is, several lines for people} */
    public String describe() {
        return guest.describe();
    }

    /**
     * Has the guest give back so many bytes of its memory in all, or take some again: {@link #ballooned} follows as far
     * and as fast as the guest can.
     *
     * @throws IllegalStateException when the VM was configured without balloon
     */
    public void balloon(long bytes) {
        guest.balloon(bytes);
    }

    /** {@return bytes the guest says it has given back by its balloon} */
    public long ballooned() {
        return guest.ballooned();
    }

    /** Ends the VM from outside; {@link #exit} tells when it is done. */
    public void stop() {
        guest.stop();
    }
}
