package gunyah.load;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.cli.CommandSource;
import gunyah.config.BadInput;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Tag("guest")
class LoadCommandsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private CommandLine command() {
        PrintStream print = new PrintStream(out, true);
        CommandSource source = ServiceLoader.load(CommandSource.class).findFirst().orElseThrow();
        return (CommandLine) source.command(print, print);
    }

    private int load(String... args) {
        return command().execute(args);
    }

    /** {@return what a scenario threw} */
    private List<Throwable> thrown(String... args) {
        CommandLine load = command();
        List<Throwable> thrown = new ArrayList<>();
        load.setExecutionExceptionHandler((e, command, result) -> {
            thrown.add(e);
            return 2;
        });
        load.execute(args);
        return thrown;
    }

    @ParameterizedTest
    @ValueSource(strings = {"churn --kernel k", "io", "kernels", "programs"})
    void anUnknownEngineIsToldWithItsOption(String scenario) {
        List<String> told = new ArrayList<>();
        CommandLine load = command();
        load.setParameterExceptionHandler((e, args) -> {
            told.add(e.getMessage());
            return 2;
        });

        assertThat(load.execute((scenario + " --engine fast").split(" "))).isEqualTo(2);

        assertThat(told).containsExactly("Invalid value for option '--engine': must be auto, interpret, "
                + "lockstep or translate, not 'fast'");
    }

    @Test
    void theProgramFindsTheScenarioAndWritesBothForms(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("report.json");

        int status = load("equal-hogs", "--guests", "2", "--pcpus", "1", "--duration", "300ms", "--priorities", "2,1",
                "--json", json.toString());

        assertThat(status).isZero();
        assertThat(out.toString()).startsWith("equal-hogs  guests 2  pcpus 1  duration 300ms").contains("jain_cpu 1.0");
        assertThat(Files.readString(json)).startsWith("{\"scenario\":\"equal-hogs\"").contains("\"priority\":1,");
    }

    /** An hour: the test would time out if the guests ran first. */
    @Test
    @Timeout(300)
    void aFileThatCannotBeWrittenIsToldBeforeTheRun(@TempDir Path directory) {
        Path json = directory.resolve("missing").resolve("report.json");

        List<Throwable> thrown = thrown("equal-hogs", "--guests", "1", "--duration", "3600s", "--json",
                json.toString());

        assertThat(thrown).singleElement().isInstanceOf(BadInput.class)
                .extracting(Throwable::getMessage).asString().contains(json.toString());
    }

    @Test
    void aScenarioMustBeNamed() {
        assertThat(load()).isEqualTo(2);
        assertThat(load("no-such")).isEqualTo(2);
    }
}
