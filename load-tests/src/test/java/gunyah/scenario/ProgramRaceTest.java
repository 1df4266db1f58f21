package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.load.ShellGuest;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the race refuses before it starts a guest, and that the guest knows all programs. */
class ProgramRaceTest {
    private static void run(String... args) {
        ProgramRace race = CommandLine.populateCommand(new ProgramRace(), args);
        race.run();
    }

    @Test
    void anUnknownProgramIsToldWithThoseThatThereAre() {
        assertThatThrownBy(() -> run("--only", "gzip,chess")).isInstanceOf(BadInput.class)
                .hasMessageContaining("'chess'").hasMessageContaining("gzip, gunzip");
    }

    @Test
    void absurdNumbersAreRefused() {
        assertThatThrownBy(() -> run("--rounds", "0")).isInstanceOf(BadInput.class);
        assertThatThrownBy(() -> run("--warm-up", "-1")).isInstanceOf(BadInput.class);
    }

    @Test
    void aMissingDiskIsToldWithWhatMakesIt(@TempDir Path directory) {
        assertThatThrownBy(() -> run("--disk", directory.resolve("none").toString())).isInstanceOf(BadInput.class)
                .hasMessageContaining("tools/run-real-software.sh");
    }

    @Test
    void theGuestKnowsAllPrograms() throws Exception {
        try (InputStream script = ShellGuest.class.getResourceAsStream("programs.sh")) {
            assertThat(new String(script.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> line.matches("[a-z0-9-]+\\).*")).map(line -> line.substring(0, line.indexOf(')'))))
                    .containsExactlyElementsOf(ProgramRace.PROGRAMS);
        }
    }
}
