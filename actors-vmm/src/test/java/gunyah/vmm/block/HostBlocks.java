package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What files take of their file system, as this computer's own tools have it. */
final class HostBlocks {
    private HostBlocks() {
    }

    /** {@return units of 512 bytes} */
    static long of(Path file) throws IOException, InterruptedException {
        return Long.parseLong(run("stat", "-c", "%b", file.toString()).strip());
    }

    /** Skips the test where a file cannot have holes made. */
    static void assumeHoles(Path directory) throws IOException, InterruptedException {
        Path file = Files.write(directory.resolve("holes"), new byte[1 << 16]);
        Process process = new ProcessBuilder("fallocate", "-z", "-l", "4096", file.toString()).start();
        assumeThat(process.waitFor()).as("fallocate -z").isZero();
        process = new ProcessBuilder("fallocate", "-p", "-l", "4096", file.toString()).start();
        assumeThat(process.waitFor()).as("fallocate -p").isZero();
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).start();
        String text = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).isZero();
        return text;
    }
}
