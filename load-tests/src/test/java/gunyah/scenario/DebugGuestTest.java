package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest that uses software step, breakpoints and watchpoints prints the same lines on our machine and on QEMU's. */
@Tag("guest")
class DebugGuestTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @TempDir
    private Path directory;

    @Test
    void debugExceptionsAreThoseOfQemu() throws IOException, InterruptedException {
        Path image = directory.resolve("debug.elf");
        try (InputStream resource = getClass().getResourceAsStream("debug.elf")) {
            Files.write(image, resource.readAllBytes());
        }
        List<String> interpreted = lines(ours(image, Engine.INTERPRET));
        assertThat(interpreted).hasSizeGreaterThan(150).endsWith("done");
        assertThat(lines(ours(image, Engine.TRANSLATE))).isEqualTo(interpreted);

        Optional<String> qemu = qemu(image);
        Assumptions.assumeTrue(qemu.isPresent(), "qemu-system-aarch64 is absent: run tools/install-oracles.sh");
        assertThat(interpreted).isEqualTo(lines(qemu.get()));
    }

    private static List<String> lines(String text) {
        return text.lines().map(String::stripTrailing).toList();
    }

    private static String ours(Path image, Engine engine) {
        try (GunyahSystem system = GunyahSystem.start(
                new MachineConfig(1, 768 * Guests.MIB, 5_000_000, engine, CpuModel.DEFAULT))) {
            Vm vm = system.createVm(new VmConfig("debug", 1, 16 * Guests.MIB, Optional.of(image), Optional.empty(),
                    Optional.empty(), "", Optional.empty(), true));
            assertThat(vm.awaitExit(LIMIT).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            return vm.console().text();
        }
    }

    private Optional<String> qemu(Path image) throws IOException, InterruptedException {
        Path output = directory.resolve("qemu.txt");
        Process process;
        try {
            process = new ProcessBuilder("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-m", "64", "-net",
                    "none", "-nographic", "-kernel", image.toString()).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).start();
        } catch (IOException absent) {
            return Optional.empty();
        }
        process.getOutputStream().close();
        assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).as("QEMU ended").isTrue();
        return Optional.of(Files.readString(output, StandardCharsets.US_ASCII));
    }
}
