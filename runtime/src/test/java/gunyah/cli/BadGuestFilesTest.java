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
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that cannot work, through the whole program: one message that says what is wrong, status 2, nothing left. */
@Tag("guest")
class BadGuestFilesTest {
    @TempDir
    private Path directory;
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private byte[] good;

    @BeforeEach
    void readGoodKernel() throws IOException {
        try (InputStream image = BadGuestFilesTest.class.getResourceAsStream("/gunyah/guest/builtin.img")) {
            good = image.readAllBytes();
        }
    }

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    private String refused(Object... options) {
        String[] args = new String[options.length + 3];
        args[0] = "run";
        args[1] = "--timeout";
        args[2] = "20s";
        for (int i = 0; i < options.length; i++) {
            args[i + 3] = options[i].toString();
        }
        int status = Main.run(new Main.Surroundings(InputStream.nullInputStream(), new ByteArrayOutputStream(),
                new PrintStream(err, true, StandardCharsets.UTF_8), directory, GunyahSystem::start), args);
        String message = err.toString(StandardCharsets.UTF_8);
        assertThat(message).startsWith("gunyah: ").doesNotContain("Exception", "\tat ").hasLineCount(1);
        assertThat(status).as(message).isEqualTo(2);
        return message;
    }

    @Test
    void aMissingKernelIsNamed() {
        assertThat(refused("--kernel", directory.resolve("none"))).contains("none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--jit-log", "--code-cache"})
    void whatTheTranslatorCannotWriteIsNamed(String option) throws IOException {
        Path file = file("plain", new byte[1]);

        assertThat(refused("--kernel", file("k", good), option, file.resolve("below"))).contains("cannot")
                .contains("plain/below");
    }

    @Test
    void aTraceFileThatCannotBeWrittenIsNamed() throws IOException {
        assertThat(refused("--kernel", file("k", good), "--trace", directory.resolve("none/t.jsonl")))
                .contains("cannot write the trace file").contains("none/t.jsonl");
    }

    @Test
    void anEmptyKernelIsRefused() throws IOException {
        assertThat(refused("--kernel", file("empty", new byte[0]))).contains("empty");
    }

    @Test
    void aKernelCutOffIsRefused() throws IOException {
        // an ELF header that promises segments which are not there
        ByteBuffer elf = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).putShort(16, (short) 2).putShort(18, (short) 183);
        elf.putInt(20, 1).putLong(24, 0x40200000L).putLong(32, 64).putShort(52, (short) 64).putShort(54, (short) 56);
        elf.putShort(56, (short) 3);

        assertThat(refused("--kernel", file("short.elf", elf.array()))).contains("short.elf");
        ByteArrayOutputStream gzip = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(gzip)) {
            out.write(good);
        }
        err.reset();
        byte[] half = Arrays.copyOf(gzip.toByteArray(), gzip.size() / 2);
        assertThat(refused("--kernel", file("short.gz", half))).contains("short.gz").contains("cut off");
    }

    @Test
    void anX86KernelIsNamedAsSuch() throws IOException {
        byte[] bzImage = new byte[8192];
        ByteBuffer.wrap(bzImage).order(ByteOrder.LITTLE_ENDIAN).putInt(0x202, 0x53726448);

        assertThat(refused("--kernel", file("bzImage", bzImage))).contains("bzImage").contains("x86");
    }

    @Test
    void aBigEndianKernelIsRefused() throws IOException {
        byte[] bigEndian = good.clone();
        bigEndian[24] |= 1;

        assertThat(refused("--kernel", file("be.img", bigEndian))).contains("big-endian");
    }

    @Test
    void anInitrdThatDoesNotFitIsRefused() throws IOException {
        assertThat(refused("--kernel", file("k", good), "--mem", "16M", "--initrd", file("big", new byte[20 << 20])))
                .contains("initrd").contains("memory");
    }

    @Test
    void aDtbThatDoesNotFitIsRefused() throws IOException {
        byte[] huge = new byte[3 << 20];
        ByteBuffer.wrap(huge).putInt(0, 0xd00dfeed).putInt(4, huge.length);

        assertThat(refused("--kernel", file("k", good), "--dtb", file("huge.dtb", huge))).contains("huge.dtb");
    }

    @Test
    void aCorruptDtbIsRefused() throws IOException {
        assertThat(refused("--kernel", file("k", good), "--dtb", file("bad.dtb", new byte[100])))
                .contains("bad.dtb").contains("device tree");
    }

    @Test
    void memoryTooSmallForTheKernelIsRefused() throws IOException {
        ByteBuffer large = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN).putLong(16, 64 << 20);

        assertThat(refused("--mem", "32M", "--kernel", file("large.img", large.array()))).contains("large.img")
                .contains("memory");
    }
}
