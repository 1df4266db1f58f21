package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.runtime.GunyahSystem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How guests end, through the whole program: exit status and what is said. */
@Tag("guest")
class GuestEndsTest {
    @TempDir
    private Path directory;
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(int... program) throws IOException {
        ByteBuffer code = ByteBuffer.allocate(program.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : program) {
            code.putInt(word);
        }
        Path kernel = Files.write(directory.resolve("raw"), code.array());
        return Main.run(new Main.Surroundings(InputStream.nullInputStream(), new ByteArrayOutputStream(),
                new PrintStream(err, true, StandardCharsets.UTF_8), directory, GunyahSystem::start), "run", "--kernel",
                kernel.toString(), "--mem", "4M", "--name", "raw", "--stats", "--timeout", "30s", "--no-reboot");
    }

    private String messages() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aJumpToNowhereIsACrashWithAReport() throws IOException {
        int status = run(0xd28002a7, // mov x7, #0x15
                0xd2dbd5a8, // mov x8, #0xdead00000000
                0xd61f0100); // br x8

        assertThat(status).as(messages()).isEqualTo(3);
        assertThat(messages()).startsWith("gunyah: raw crashed: a vCPU faulted beyond recovery\n")
                .contains("failure: endless exceptions at the vector 0x200", "the first came from 0xdead00000000",
                        "PC 0x0000000000000200 EL1", "x7  0x0000000000000015", "x8  0x0000dead00000000",
                        "last exits, oldest first:", "STAGE2_FAULT pc=0x200 0x200, 6")
                .doesNotContain("Exception");
        assertThat(messages().lines().toList()).last().asString().startsWith("{\"vm\":\"raw\",\"exit\":\"crashed\"");
    }

    @Test
    void aResetEndsTheRunAndIsToldWhenRebootsAreOff() throws IOException {
        int status = run(0x52800120, // mov w0, #0x0009
                0x72b08000, // movk w0, #0x8400, lsl #16
                0xd4000002); // hvc #0

        assertThat(status).as(messages()).isZero();
        assertThat(messages()).startsWith("gunyah: raw asked for a reset and ended\n")
                .contains("\"exit\":\"reset\"").hasLineCount(2);
    }
}
