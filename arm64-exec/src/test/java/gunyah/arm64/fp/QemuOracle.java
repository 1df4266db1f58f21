package gunyah.arm64.fp;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Executes single instructions under {@code qemu-aarch64} (user mode, {@code -cpu max}): assembles one program with a
 * table of words and register states, and hands back the register state after each of them.
 */
public final class QemuOracle implements AutoCloseable {
    /** Guest address of the 512-byte buffer that loads and stores may touch. */
    public static final long BUFFER = 0x1000_0000L;
    /** Guest address of the code: case k executes at {@code CODE + 8 * k}. */
    public static final long CODE = 0x2000_0000L;
    /** Bytes of one initial state: V 512, X0-X27 224, SP, NZCV, FPCR, FPSR. */
    public static final int STATE_BYTES = 768;
    /** Bytes of one result: V 512, X0-X27 224, SP, NZCV, FPSR, 8 unused, buffer 512. */
    public static final int RESULT_BYTES = 1280;

    private static final List<String> TOOLS = List.of("aarch64-linux-gnu-gcc", "qemu-aarch64");
    private final Process process;
    private final DataInputStream results;
    private final Path directory;

    private QemuOracle(Process process, Path directory) {
        this.process = process;
        this.directory = directory;
        this.results = new DataInputStream(process.getInputStream());
    }

    /** {@return the tools this needs that the machine lacks} */
    public static List<String> missingTools() {
        List<String> folders = List.of(System.getenv("PATH").split(":"));
        return TOOLS.stream().filter(tool -> folders.stream().noneMatch(
                folder -> Files.isExecutable(Path.of(folder, tool)))).toList();
    }

    /**
     * Starts the cases.
     *
     * @param code      per case the instruction word and a RET
     * @param states    {@link #STATE_BYTES} each, little endian
     * @param stateOf   per case the number of its state
     * @param buffer    initial contents of the buffer
     */
    public static QemuOracle start(byte[] code, byte[] states, int[] stateOf, byte[] buffer) throws IOException {
        Path directory = Files.createTempDirectory("oracle");
        ByteBuffer cases = ByteBuffer.allocate(4 * stateOf.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int state : stateOf) {
            cases.putInt(state);
        }
        Files.write(directory.resolve("code.bin"), code);
        Files.write(directory.resolve("states.bin"), states);
        Files.write(directory.resolve("cases.bin"), cases.array());
        Files.write(directory.resolve("buffer.bin"), buffer);
        try (InputStream source = QemuOracle.class.getResourceAsStream("oracle.S")) {
            Files.copy(source, directory.resolve("oracle.S"));
        }
        Process compiler = new ProcessBuilder(TOOLS.get(0), "-static", "-nostdlib", "-Wl,--build-id=none",
                "-Wl,--section-start=.buf=0x10000000", "-Wl,--section-start=.code=0x20000000", "-o", "oracle",
                "oracle.S").directory(directory.toFile()).redirectErrorStream(true).start();
        String output = new String(compiler.getInputStream().readAllBytes());
        try {
            if (compiler.waitFor() != 0) {
                throw new IOException(output);
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        Process qemu = new ProcessBuilder(TOOLS.get(1), "-cpu", "max", "oracle").directory(directory.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return new QemuOracle(qemu, directory);
    }

    /** Reads the next case's result into {@code result}; false when the program ended before (an undefined word). */
    public boolean next(byte[] result) {
        try {
            return results.readNBytes(result, 0, result.length) == result.length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (String file : List.of("code.bin", "states.bin", "cases.bin", "buffer.bin", "oracle.S", "oracle")) {
            Files.deleteIfExists(directory.resolve(file));
        }
        Files.deleteIfExists(directory);
    }
}
