package gunyah.arm64.translate;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes what the translator does: one line an event, milliseconds since the start first. Rare events only, of the
 * translator's and of vCPUs' threads. Thread safe.
 */
public final class JitLog implements AutoCloseable {
    private final PrintWriter out;
    private final long startNs = System.nanoTime();

    /** @throws UncheckedIOException when the file cannot be written */
    public JitLog(Path file) {
        try {
            out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void line(String format, Object... arguments) {
        synchronized (out) {
            out.printf("%9.1f ", (System.nanoTime() - startNs) / 1e6);
            out.printf(format, arguments);
            out.println();
            out.flush();
        }
    }

    @Override
    public void close() {
        out.close();
    }
}
