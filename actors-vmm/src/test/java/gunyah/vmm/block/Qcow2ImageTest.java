package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.config.BadInput;
import gunyah.config.DiskConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that qemu-img makes, read and written by us, and checked by qemu-img again. */
class Qcow2ImageTest {
    private static final int SIZE = 3 << 20;
    private static final long SEED = Long.getLong("gunyah.seed", 20261125);

    @TempDir
    private Path directory;

    @BeforeAll
    static void needsQemuImg() {
        assumeTrue(Stream.of("/usr/bin/qemu-img", "/usr/local/bin/qemu-img").anyMatch(f -> Files.isExecutable(
                Path.of(f))), "qemu-img is not installed: run tools/install-oracles.sh");
    }

    private String run(String... command) {
        try {
            Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isZero();
            return output;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Path create(String name, String... options) {
        List<String> command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
        command.addAll(List.of(options));
        command.add(name);
        command.add(Integer.toString(SIZE));
        run(command.toArray(String[]::new));
        return directory.resolve(name);
    }

    private static DiskImage open(Path file, boolean readOnly) {
        return DiskImages.open(new DiskConfig(file, readOnly, Optional.of(DiskConfig.Format.QCOW2)));
    }

    private byte[] contents(Path image) throws IOException {
        run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image.getFileName().toString(), "contents.raw");
        return Files.readAllBytes(directory.resolve("contents.raw"));
    }

    private void check(Path image) {
        assertThat(run("qemu-img", "check", image.getFileName().toString())).contains("No errors were found");
    }

    /** Random sectors written, zeroed, discarded, flushed and read, beside an array that is to hold the same. */
    private static void exercise(DiskImage image, byte[] model, Random random, int steps) throws IOException {
        byte[] buffer = new byte[300 << 10];
        for (int step = 0; step < steps; step++) {
            int sectors = 1 + random.nextInt(random.nextInt(10) == 0 ? 500 : 40);
            int length = sectors * 512;
            int position = random.nextInt((SIZE - length) / 512 + 1) * 512;
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3 -> {
                    random.nextBytes(buffer);
                    image.write(position, buffer, 7, length);
                    System.arraycopy(buffer, 7, model, position, length);
                }
                case 4 -> {
                    image.zero(position, length, random.nextBoolean());
                    Arrays.fill(model, position, position + length, (byte) 0);
                }
                case 5 -> {
                    image.discard(position, length);
                    image.read(position, model, position, length);
                }
                case 6 -> image.flush();
                default -> {
                    image.read(position, buffer, 3, length);
                    assertThat(Arrays.mismatch(buffer, 3, 3 + length, model, position, position + length))
                            .as("step %d, seed %d, read of 0x%x+0x%x", step, SEED, position, length).isEqualTo(-1);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"compat=1.1", "compat=0.10", "cluster_size=512", "cluster_size=2M", "refcount_bits=1",
        "refcount_bits=64,cluster_size=4k", "preallocation=metadata", "preallocation=falloc"})
    void holdsWhatWasWrittenAndStaysConsistent(String options) throws IOException {
        System.out.printf("qcow2 %s: seed %d%n", options, SEED);
        Path file = create("disk.qcow2", "-o", options);
        byte[] model = new byte[SIZE];
        Random random = new Random(SEED);
        for (int round = 0; round < 3; round++) {
            try (DiskImage image = open(file, false)) {
                assertThat(image.size()).isEqualTo(SIZE);
                exercise(image, model, random, 120);
            }
            check(file);
            assertThat(Arrays.mismatch(contents(file), model)).isEqualTo(-1);
        }
    }

    @Test
    void whatIsDiscardedTakesNoSpace() throws Exception {
        HostBlocks.assumeHoles(directory);
        Path file = create("disk.qcow2");
        byte[] data = new byte[1 << 20];
        new Random(SEED).nextBytes(data);
        try (DiskImage image = open(file, false)) {
            image.write(0, data, 0, data.length);
            image.flush();
            long before = HostBlocks.of(file);
            image.discard(1 << 18, 1 << 19);
            image.flush();
            assertThat(HostBlocks.of(file)).isEqualTo(before - (1 << 19 - 9));
        }
        check(file);
        Arrays.fill(data, 1 << 18, 3 << 18, (byte) 0);
        assertThat(Arrays.copyOf(contents(file), data.length)).isEqualTo(data);
    }

    @ParameterizedTest
    @ValueSource(strings = {"raw", "qcow2"})
    void readsFromItsBackingFileAndLeavesItAlone(String format) throws IOException {
        byte[] below = new byte[SIZE / 2];
        new Random(SEED).nextBytes(below);
        Files.write(directory.resolve("base.raw"), below);
        run("qemu-img", "convert", "-f", "raw", "-O", format, "base.raw", "base");
        Path file = create("top.qcow2", "-b", "base", "-F", format);
        byte[] model = Arrays.copyOf(below, SIZE);
        byte[] base = Files.readAllBytes(directory.resolve("base"));

        try (DiskImage image = open(file, false)) {
            exercise(image, model, new Random(SEED), 300);
        }

        check(file);
        assertThat(Arrays.mismatch(contents(file), model)).isEqualTo(-1);
        assertThat(Files.readAllBytes(directory.resolve("base"))).isEqualTo(base);
    }

    @Test
    void readsCompressedClustersAndReplacesThem() throws IOException {
        byte[] model = new byte[SIZE];
        Random random = new Random(SEED);
        for (int i = 0; i < SIZE; i++) {
            model[i] = (byte) (random.nextInt(100) == 0 ? random.nextInt() : i >> 12);
        }
        Files.write(directory.resolve("plain.raw"), model);
        run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "plain.raw", "packed.qcow2");
        Path file = directory.resolve("packed.qcow2");

        try (DiskImage image = open(file, false)) {
            exercise(image, model, random, 200);
        }

        check(file);
        assertThat(Arrays.mismatch(contents(file), model)).isEqualTo(-1);
    }

    @Test
    void keepsWhatASnapshotHas() throws IOException {
        Path file = create("disk.qcow2");
        byte[] model = new byte[SIZE];
        Random random = new Random(SEED);
        try (DiskImage image = open(file, false)) {
            exercise(image, model, random, 150);
        }
        run("qemu-img", "snapshot", "-c", "before", "disk.qcow2");
        byte[] before = model.clone();
        try (DiskImage image = open(file, false)) {
            exercise(image, model, random, 150);
        }

        check(file);
        assertThat(Arrays.mismatch(contents(file), model)).isEqualTo(-1);
        run("qemu-img", "snapshot", "-a", "before", "disk.qcow2");
        assertThat(Arrays.mismatch(contents(file), before)).isEqualTo(-1);
    }

    @Test
    void aWriterThatIsKilledLeavesItsLastFlushAndNoError() throws IOException {
        Path file = create("disk.qcow2");
        byte[] model = new byte[SIZE];
        Path killed = directory.resolve("killed.qcow2");
        try (DiskImage image = open(file, false)) {
            exercise(image, model, new Random(SEED), 100);
            image.flush();
            image.write(0, new byte[SIZE], 0, SIZE);
            Files.copy(file, killed);
        }

        String report = run("sh", "-c", "qemu-img check killed.qcow2 || test $? -eq 3");
        assertThat(report).doesNotContain("ERROR");
    }

    @Test
    void refusesWhatItCannotUse() throws IOException {
        Path file = create("disk.qcow2");
        byte[] bytes = Files.readAllBytes(file);
        refuses(file, Arrays.copyOf(bytes, 50), "too short");
        refuses(file, changed(bytes, 0, 1), "no qcow2");
        refuses(file, changed(bytes, 7, 4), "version");
        refuses(file, changed(bytes, 23, 40), "cluster size");
        refuses(file, changed(bytes, 35, 1), "encrypted");
        refuses(file, changed(bytes, 79, 2), "corrupt");
        refuses(file, changed(bytes, 79, 1), "did not end well");
        refuses(file, changed(bytes, 24, 1), "L1 table");
        refuses(file, changed(bytes, 47, 1), "misplaced");
        refuses(file, Arrays.copyOf(bytes, 70_000), "ends at");
        run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "loop.qcow2", "-F", "qcow2", "back.qcow2", "1M");
        run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "back.qcow2", "-F", "qcow2", "loop.qcow2", "1M");
        assertThatThrownBy(() -> open(directory.resolve("loop.qcow2"), true)).isInstanceOf(BadInput.class)
                .hasMessageContaining("backed by itself");
    }

    private static byte[] changed(byte[] bytes, int at, int value) {
        byte[] copy = bytes.clone();
        copy[at] = (byte) value;
        return copy;
    }

    private static void refuses(Path file, byte[] bytes, String message) throws IOException {
        Files.write(file, bytes);
        assertThatThrownBy(() -> open(file, false)).isInstanceOf(BadInput.class).hasMessageContaining(message);
    }
}
