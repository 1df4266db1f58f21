package gunyah.cli;

import java.io.PrintStream;

/**
 * A command that a module outside this one adds to {@code gunyah}: found by {@link java.util.ServiceLoader}, so the
 * program does not depend on who adds to it.
 */
public interface CommandSource {
    /**
     * {@return an object with picocli's annotations that is a {@code Callable} of the exit status, or a picocli {@code
     * CommandLine}} It may throw {@link gunyah.config.BadInput}.
     *
     * @param out standard output
     * @param err standard error
     */
    Object command(PrintStream out, PrintStream err);
}
