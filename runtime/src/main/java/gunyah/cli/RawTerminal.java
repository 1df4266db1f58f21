package gunyah.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The user's terminal while it belongs to a guest: every key goes through, nothing is echoed or interpreted. Driven
 * with {@code stty}, which every system with a terminal has and which costs a few milliseconds. {@link #restore} may be
 * called from any thread, more than once.
 */
final class RawTerminal {
    private final String saved;
    private boolean raw;

    private RawTerminal(String saved) {
        this.saved = saved;
    }

    /** {@return the terminal on standard input; empty when it is a file, a pipe or nothing} */
    static Optional<RawTerminal> ofStandardInput() {
        return stty("-g").filter(text -> !text.isBlank()).map(text -> new RawTerminal(text.strip()));
    }

    synchronized void enter() {
        raw = stty("-icanon", "-echo", "-isig", "-icrnl", "-ixon", "-iexten", "min", "1", "time", "0").isPresent();
    }

    synchronized void restore() {
        if (raw) {
            raw = false;
            stty(saved);
        }
    }

    /** Runs stty on our standard input. {@return what it printed; empty when it failed} */
    private static Optional<String> stty(String... arguments) {
        List<String> command = new ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return process.waitFor() == 0 ? Optional.of(output) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
