package gunyah.arm64.oracle;

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
 * Executes single instructions on QEMU's AArch64 at EL1 under an MMU and hands back the whole state after each:
 * {@code oracle.S} is built once per process and started with a file of cases. Exceptions are results, too.
 *
 * <p>Memory of the machine, identity mapped in 2 MiB blocks: code (EL1 only) below {@link #BUFFER_BLOCK}; there a block
 * that EL0 may use as well, then a read-only one, then nothing.
 */
public final class InstructionOracle implements AutoCloseable {
    /** Cases may execute between here and {@link #CODE_END}. */
    public static final long CODE = 0x4400_0000L;
    public static final long CODE_END = 0x4700_0000L;
    /** From here to {@link #CODE_END} single cases with zeros (UDF) around them. */
    public static final long SPARSE_CODE = 0x4500_0000L;
    public static final long BUFFER_BLOCK = 0x5C00_0000L;
    public static final long READ_ONLY_BLOCK = 0x5C20_0000L;
    public static final long UNMAPPED_BLOCK = 0x5C40_0000L;
    /** 512 bytes that are set before and reported after each case; a page ends in the middle. */
    public static final long BUFFER = 0x5C0F_FF00L;
    public static final int BUFFER_BYTES = 512;

    /** State and result: X0 to X30 from 0, then these. */
    public static final int SP = 0xF8;
    public static final int NZCV = 0x100;
    public static final int FPCR = 0x108;
    public static final int FPSR = 0x110;
    /** Result: syndrome of the exception, 0 when there was none; FAR, ELR and SPSR follow. */
    public static final int ESR = 0x118;
    public static final int FAR = 0x120;
    public static final int ELR = 0x128;
    public static final int SPSR = 0x130;
    public static final int V = 0x140;
    public static final int STATE_BYTES = 0x340;
    public static final int RESULT_BYTES = STATE_BYTES + BUFFER_BYTES;

    /** TCR_EL1 of the machine, to which a run may add: T0SZ 25, 4 KiB, no TTBR1, 40 bits. */
    public static final long TCR = 0x2_0080_3519L;
    /** SCTLR_EL1 of the machine: MMU, caches and pointer authentication on, no alignment check. */
    public static final long SCTLR = 0x30D0_0980L | 1 | 1 << 2 | 1 << 12 | 0xC800_2000L;
    /** The keys, in register order IA, IB, DA, DB, GA, low half first. */
    public static final long[] KEYS = {0x0123_4567_89AB_CDEFL, 0x1122_3344_5566_7788L, 0x9ABC_DEF0_0FED_CBA9L,
        0x13579BDF_02468ACEL, 0x5555_AAAA_1234_8765L, 0xDEAD_BEEF_0BAD_F00DL, 0x7777_1111_2222_3333L,
        0x0F0F_F0F0_3C3C_C3C3L, 0xA5A5_5A5A_6666_9999L, 0x8000_0000_0000_0001L};

    private static final int HEADER_BYTES = 0xA0;
    private static final int CASE_BYTES = 64;
    private static final int NO_REGISTER = 39;
    private static final List<String> TOOLS = List.of("aarch64-linux-gnu-gcc", "qemu-system-aarch64");
    private static Path program;

    private final Process process;
    private final DataInputStream results;
    private final List<Path> inputs;

    private InstructionOracle(Process process, List<Path> inputs) {
        this.process = process;
        this.inputs = inputs;
        this.results = new DataInputStream(process.getInputStream());
    }

    /** {@return an initial state, all zero} */
    static ByteBuffer newState() {
        return ByteBuffer.allocate(STATE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
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
     * @param states {@link #STATE_BYTES} each, little endian
     * @param memory initial contents of the buffer
     * @param tcr    bits of TCR_EL1 beside {@link #TCR}
     */
    public static InstructionOracle start(List<Case> cases, ByteBuffer states, byte[] memory, long tcr)
            throws IOException {
        return start(cases, new byte[4], states, memory, tcr);
    }

    /** As {@link #start(List, ByteBuffer, byte[], long)}, with {@code code} at {@link #SPARSE_CODE}. */
    public static InstructionOracle start(List<Case> cases, byte[] code, ByteBuffer states, byte[] memory, long tcr)
            throws IOException {
        ByteBuffer file = ByteBuffer.allocate(HEADER_BYTES + states.capacity() + BUFFER_BYTES
                + CASE_BYTES * cases.size()).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(cases.size()).putLong(HEADER_BYTES).putLong(HEADER_BYTES + states.capacity())
                .putLong(HEADER_BYTES + states.capacity() + BUFFER_BYTES).putLong(SCTLR).putLong(TCR | tcr)
                .position(0x40);
        for (long key : KEYS) {
            file.putLong(key);
        }
        file.position(HEADER_BYTES).put(states.duplicate().rewind()).put(memory);
        for (Case c : cases) {
            file.putInt(c.word()).putInt(c.state()).putLong(c.address());
            for (int k = 0; k < 3; k++) {
                boolean used = 2 * k < c.patches().length;
                file.putLong(used ? c.patches()[2 * k] : NO_REGISTER).putLong(used ? c.patches()[2 * k + 1] : 0);
            }
        }
        Path input = Files.createTempFile("cases", ".bin");
        Files.write(input, file.array());
        Path programs = Files.createTempFile("programs", ".bin");
        Files.write(programs, code);
        Process qemu = new ProcessBuilder(TOOLS.get(1), "-M", "virt", "-cpu", "max,pauth-impdef=on", "-m", "512",
                "-net", "none", "-display", "none", "-serial", "none", "-monitor", "none", "-semihosting-config",
                "enable=on,target=native", "-kernel", program().toString(), "-device",
                "loader,file=" + input + ",addr=0x48000000,force-raw=on", "-device",
                "loader,file=" + programs + ",addr=0x%x,force-raw=on".formatted(SPARSE_CODE))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return new InstructionOracle(qemu, List.of(input, programs));
    }

    private static synchronized Path program() throws IOException {
        if (program == null) {
            Path directory = Files.createTempDirectory("oracle");
            Path source = directory.resolve("oracle.S");
            try (InputStream text = InstructionOracle.class.getResourceAsStream("oracle.S")) {
                Files.copy(text, source);
            }
            Path built = directory.resolve("oracle");
            Process compiler = new ProcessBuilder(TOOLS.get(0), "-static", "-nostdlib",
                    "-Wl,--build-id=none,-N,-Ttext=0x40200000,--no-warn-rwx-segments", "-o", built.toString(),
                    source.toString()).redirectErrorStream(true).start();
            String output = new String(compiler.getInputStream().readAllBytes());
            try {
                if (compiler.waitFor() != 0) {
                    throw new IOException(output);
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            for (Path file : List.of(source, built, directory)) {
                file.toFile().deleteOnExit();
            }
            program = built;
        }
        return program;
    }

    /** Reads the next case's result into {@code result}; false when the machine stopped before. */
    public boolean next(byte[] result) {
        try {
            return results.readNBytes(result, 0, result.length) == result.length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Path input : inputs) {
            Files.deleteIfExists(input);
        }
    }
}
