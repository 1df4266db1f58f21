package gunyah.cli;

import gunyah.arm64.translate.RegionReport;
import gunyah.config.BadInput;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code gunyah jit}: what the translator did. */
@Command(name = "jit", mixinStandardHelpOptions = true, version = Main.VERSION,
        description = "Tells what the translator did: statistics of a file that --jit-log wrote, a list of the regions in "
                + "a directory that --code-cache named, or guest code and bytecode of one region in there.")
final class JitCommand implements Callable<Integer> {
    @Parameters(paramLabel = "PATH", description = "log, directory, or file of a region")
    private Path what;

    private final PrintStream out;

    JitCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() {
        try {
            RegionReport.of(what).forEach(out::println);
        } catch (NoSuchFileException e) {
            throw new BadInput("there is no " + what, e);
        } catch (IOException e) {
            throw new BadInput("%s: %s".formatted(what, e.getMessage()), e);
        }
        return ExitStatus.OK;
    }
}
