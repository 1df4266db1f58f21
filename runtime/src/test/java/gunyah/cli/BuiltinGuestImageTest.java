package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuiltinGuestImageTest {
    /** The compiler whose output is committed; another version may generate other code. */
    private static final String COMPILER = "12.2.0";

    private static byte[] committed() throws Exception {
        try (InputStream image = BuiltinGuestImageTest.class.getResourceAsStream("/gunyah/guest/builtin.img")) {
            return image.readAllBytes();
        }
    }

    @Test
    void theImageHasTheHeaderThatLoadersCheck() throws Exception {
        ByteBuffer image = ByteBuffer.wrap(committed()).order(ByteOrder.LITTLE_ENDIAN);

        assertThat(image.getInt(56)).isEqualTo(0x644d5241);
        assertThat(image.getLong(8)).as("text_offset").isZero();
        assertThat(image.getLong(16)).as("image_size covers file and BSS").isGreaterThan(image.capacity());
        assertThat(image.getLong(24)).as("little endian, 4 KiB pages, anywhere").isEqualTo(0xa);
    }

    @Test
    void theCommittedImageIsWhatItsSourcesGive(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(compilerVersion().equals(COMPILER), "aarch64-linux-gnu-gcc " + COMPILER + " is absent");
        Path root = Path.of(System.getProperty("gunyah.root"));
        Path built = directory.resolve("builtin.img");

        Process build = new ProcessBuilder(root.resolve("tools/build-guest.sh").toString(), built.toString())
                .redirectErrorStream(true).start();
        String output = new String(build.getInputStream().readAllBytes());

        assertThat(build.waitFor()).as(output).isZero();
        assertThat(Files.readAllBytes(built)).isEqualTo(committed());
    }

    private static String compilerVersion() throws InterruptedException {
        try {
            Process gcc = new ProcessBuilder("aarch64-linux-gnu-gcc", "-dumpfullversion").start();
            String version = new String(gcc.getInputStream().readAllBytes()).strip();
            return gcc.waitFor(60, TimeUnit.SECONDS) ? version : "";
        } catch (IOException e) {
            return "";
        }
    }
}
