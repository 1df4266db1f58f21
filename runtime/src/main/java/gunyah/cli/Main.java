package gunyah.cli;

import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.runtime.GunyahSystem;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.BiFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program {@code gunyah}: parses the command line and exits with the status of the command. */
public final class Main {
    static final String VERSION = "gunyah 0.1.0";

    /**
     * Where a command reads, writes and finds things; tests supply their own.
     *
     * @param in     standard input
     * @param out    standard output: what was asked for, above all console bytes
     * @param err    standard error: messages and statistics
     * @param guests directory of fetched guests
     * @param start  starts a system, with a file for its trace if wanted
     */
    record Surroundings(InputStream in, OutputStream out, PrintStream err, Path guests,
            BiFunction<MachineConfig, Optional<Path>, GunyahSystem> start) {
    }

    @Command(name = "gunyah", version = VERSION, mixinStandardHelpOptions = true, synopsisSubcommandLabel = "COMMAND",
            description = "Runs unmodified arm64 guests on the Gunyah system, in one Java program.")
    static final class Root {
    }

    private Main() {
    }

    public static void main(String[] args) {
        if (isRun(args)) {
            // while the arguments are read
            GunyahSystem.prepare();
        }
        Path root = Path.of(System.getProperty("gunyah.root", ""));
        Surroundings surroundings = new Surroundings(new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out), System.err, root.resolve(".guests"), GunyahSystem::start);
        int status = run(surroundings, args);
        System.err.flush();
        System.exit(status);
    }

    private static boolean isRun(String... args) {
        return args.length > 0 && args[0].equals("run");
    }

    /** Runs one command. {@return the exit status} */
    static int run(Surroundings surroundings, String... args) {
        PrintStream out = new PrintStream(surroundings.out(), true);
        CommandLine line = new CommandLine(new Root()).addSubcommand(new RunCommand(surroundings));
        // a guest need not wait until the options of all other commands are looked at
        if (!isRun(args)) {
            line.addSubcommand(new FetchCommand(surroundings)).addSubcommand(new JitCommand(out));
            ServiceLoader.load(CommandSource.class)
                    .forEach(source -> line.addSubcommand(source.command(out, surroundings.err())));
        }
        line.setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(surroundings.err(), true))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((e, a) -> badUsage(surroundings.err(), e))
                .setExecutionExceptionHandler((e, commandLine, parsed) -> failed(surroundings.err(), e));
        if (args.length == 0) {
            line.usage(out);
            return ExitStatus.BAD_INPUT;
        }
        return line.execute(args);
    }

    private static int badUsage(PrintStream err, ParameterException e) {
        String message = e.getMessage();
        if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getUnmatched().isEmpty()) {
            String argument = unmatched.getUnmatched().getFirst();
            message = argument.startsWith("-") ? "unknown option '%s'".formatted(argument)
                    : "unexpected argument '%s'".formatted(argument);
        }
        err.println("gunyah: %s; see '%s --help'".formatted(message,
                e.getCommandLine().getCommandSpec().qualifiedName()));
        return ExitStatus.BAD_INPUT;
    }

    private static int failed(PrintStream err, Exception e) {
        if (e instanceof BadInput) {
            err.println("gunyah: " + e.getMessage());
            return ExitStatus.BAD_INPUT;
        }
        err.println("gunyah: internal error, please report it with what follows");
        e.printStackTrace(err);
        return ExitStatus.INTERNAL;
    }
}
