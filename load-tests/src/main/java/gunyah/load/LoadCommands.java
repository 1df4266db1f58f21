package gunyah.load;

import gunyah.cli.CommandSource;
import gunyah.config.BadInput;
import gunyah.report.Renderer;
import gunyah.report.Report;
import gunyah.scenario.Scenario;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code gunyah load SCENARIO}: one command for each registered scenario. */
public final class LoadCommands implements CommandSource {
    @Command(name = "load", mixinStandardHelpOptions = true, synopsisSubcommandLabel = "SCENARIO",
            description = "Runs many guests and says how the machine shared itself among them.")
    private static final class Load implements Callable<Integer> {
        @CommandLine.Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            throw new CommandLine.ParameterException(spec.commandLine(), "name a scenario");
        }
    }

    @Override
    public Object command(PrintStream out, PrintStream err) {
        CommandLine load = new CommandLine(new Load());
        for (Scenario scenario : ServiceLoader.load(Scenario.class)) {
            CommandSpec spec = CommandSpec.forAnnotatedObject(new Run(scenario, out));
            spec.addMixin("scenario", CommandSpec.forAnnotatedObject(scenario));
            spec.name(scenario.name()).usageMessage().description(scenario.description());
            load.addSubcommand(new CommandLine(spec));
        }
        return load;
    }

    @Command(mixinStandardHelpOptions = true, sortOptions = false)
    private static final class Run implements Callable<Integer> {
        @Option(names = "--json", paramLabel = "FILE", description = "write the report as JSON too")
        private Path json;

        private final Scenario scenario;
        private final PrintStream out;

        private Run(Scenario scenario, PrintStream out) {
            this.scenario = scenario;
            this.out = out;
        }

        @Override
        public Integer call() {
            // Before the run: nobody wants to wait for a report that cannot be written.
            try (OutputStream file = json == null ? OutputStream.nullOutputStream() : Files.newOutputStream(json)) {
                Report report = scenario.run();
                out.print(Renderer.text(report));
                if (json != null) {
                    file.write(Renderer.json(report).getBytes(StandardCharsets.UTF_8));
                }
            } catch (IOException e) {
                throw new BadInput("cannot write %s: %s".formatted(json, e), e);
            }
            return 0;
        }
    }
}
