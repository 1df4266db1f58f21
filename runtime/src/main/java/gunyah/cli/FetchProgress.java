package gunyah.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a fetch is: a bar for each step on a terminal, one line for each step elsewhere. */
final class FetchProgress implements AutoCloseable {
    private static final int WHOLE = 100;

    private final PrintStream err;
    private final boolean terminal;
    private ProgressBar bar;

    FetchProgress(PrintStream err) {
        this.err = err;
        this.terminal = System.console() != null && System.console().isTerminal();
    }

    /** Ends the step before and begins the next. */
    void step(String name) {
        close();
        if (terminal) {
            bar = new ProgressBarBuilder().setTaskName("%-13s".formatted(name)).setInitialMax(WHOLE)
                    .setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(100).hideEta()
                    .setConsumer(new ConsoleProgressBarConsumer(err, 78)).build();
        } else {
            err.println("fetch: " + name);
        }
    }

    /** Takes one line of apt's status output: {@code dlstatus:NUMBER:PERCENT:TEXT}. */
    void status(String line) {
        String[] parts = line.split(":", 4);
        if (bar != null && parts.length == 4 && parts[0].equals("dlstatus")) {
            bar.stepTo((long) Double.parseDouble(parts[2]));
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.stepTo(WHOLE);
            bar.close();
            bar = null;
        }
    }
}
