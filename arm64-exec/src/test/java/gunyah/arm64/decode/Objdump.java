package gunyah.arm64.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** The disassembler of GNU binutils, which we compare with. */
public final class Objdump {
    /** Its name. */
    public static final String NAME = "aarch64-linux-gnu-objdump";

    /** Takes one instruction. */
    @FunctionalInterface
    public interface Visitor {
        /** The instruction at {@code offset} of the code, and what objdump writes behind the word. */
        void visit(int offset, String text);
    }

    private Objdump() {
    }

    /** {@return whether it is installed} */
    public static boolean isPresent() {
        for (String folder : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(folder, NAME))) {
                return true;
            }
        }
        return false;
    }

    /** Disassembles all of {@code code}, which is at address 0. */
    public static void each(ByteBuffer code, Visitor visitor) throws IOException, InterruptedException {
        Path file = Files.createTempFile("words", ".bin");
        Files.write(file, code.array());
        // -z: runs of zero words are words as well
        Process process = new ProcessBuilder(NAME, "-D", "-z", "-b", "binary", "-m", "aarch64", file.toString())
                .redirectErrorStream(true).start();
        try (BufferedReader lines = process.inputReader()) {
            int at = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] columns = line.split("\t", 3);
                if (columns.length > 2 && columns[0].endsWith(":")) {
                    visitor.visit(at, columns[2]);
                    at += 4;
                }
            }
            assertThat(at).isEqualTo(code.capacity());
        } finally {
            process.waitFor();
            Files.delete(file);
        }
    }
}
