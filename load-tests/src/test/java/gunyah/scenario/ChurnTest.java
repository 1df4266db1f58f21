package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.report.Report;
import gunyah.runtime.GunyahSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests that come and go leave nothing behind that the next round does not use. Counts only. */
@Tag("guest")
class ChurnTest {
    @TempDir
    private Path directory;

    @Test
    void everyRoundBootsAllGuests() throws IOException {
        Path image = directory.resolve("builtin.img");
        try (InputStream resource = GunyahSystem.class.getResourceAsStream("/gunyah/guest/builtin.img")) {
            Files.write(image, resource.readAllBytes());
        }

        Report report = new Churn(2, 2, List.of(image), "Gunyah built-in guest").run();

        assertThat(report.rows()).hasSize(2);
        assertThat(report.figures().get("failures")).isZero();
    }

    @Test
    void absurdNumbersAreRefused() {
        assertThatThrownBy(() -> new Churn(0, 1, List.of(), "").run()).isInstanceOf(BadInput.class);
    }
}
