package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong with a disk's file is told to the guest by the status of the request, and the disk goes on. */
class DiskFaultsTest {
    private static final byte OK = 0;
    private static final byte IOERR = 1;
    private static final int IN = 0;
    private static final int OUT = 1;
    private static final int FLUSH = 4;
    private static final int SIZE = 1 << 20;
    private static final long SEED = Long.getLong("gunyah.seed", 20261125);

    @TempDir
    private Path directory;
    private final byte[] contents = new byte[SIZE];
    private MemoryChannel file;
    private TestDriver driver;

    private void openRaw() {
        new Random(SEED).nextBytes(contents);
        file = new MemoryChannel(contents);
        driver = new TestDriver(new VirtioBlock("disk0", new RawImage(file, FileHoles.NONE, SIZE), false, 1)).start(0);
    }

    private byte[] request(int type, long sector, Part... data) {
        byte[] header = new byte[16];
        Bits.le32(header, 0, type);
        Bits.le64(header, 8, sector);
        Part[] parts = new Part[data.length + 2];
        parts[0] = Part.out(header);
        System.arraycopy(data, 0, parts, 1, data.length);
        parts[parts.length - 1] = Part.in(1);
        return driver.call(0, parts);
    }

    private byte status(int type, long sector, Part... data) {
        byte[] answer = request(type, sector, data);
        return answer[answer.length - 1];
    }

    private void readsSoundly() {
        byte[] answer = request(IN, 8, Part.in(4096));
        assertThat(answer[4096]).isEqualTo(OK);
        assertThat(Arrays.copyOf(answer, 4096)).isEqualTo(Arrays.copyOfRange(contents, 4096, 8192));
        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void anErrorOfTheFileIsTheStatusOfTheRequestAndTheNextOneIsServed() {
        openRaw();
        file.fail(operation -> operation % 2 == 0 ? "Input/output error" : null);

        for (int i = 0; i < 5; i++) {
            assertThat(status(IN, 0, Part.in(512))).isEqualTo(IOERR);
            readsSoundly();
        }
        file.fail(operation -> "Input/output error");
        assertThat(status(OUT, 0, Part.out(new byte[512]))).isEqualTo(IOERR);
        assertThat(status(13, 0, Part.out(Arrays.copyOf(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 1}, 16)))).isEqualTo(IOERR);
        file.fail(MemoryChannel.Faults.NONE);
        readsSoundly();
    }

    @Test
    void aFileThatShrinksFailsWhereItEndsAndHoldsWhatIsWrittenThereAgain() {
        openRaw();
        file.truncate(SIZE / 2);

        readsSoundly();
        assertThat(status(IN, SIZE / 1024, Part.in(512))).isEqualTo(IOERR);
        assertThat(status(IN, SIZE / 1024 - 1, Part.in(1024))).isEqualTo(IOERR);
        assertThat(status(OUT, SIZE / 1024, Part.out(new byte[512]))).isEqualTo(OK);
        assertThat(status(IN, SIZE / 1024, Part.in(512))).isEqualTo(OK);
        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void aFullDiskRefusesWritesAndCanStillBeRead() {
        openRaw();
        file.fail(operation -> operation == 0 ? "No space left on device" : null);

        assertThat(status(OUT, 100, Part.out(new byte[1024]))).isEqualTo(IOERR);
        readsSoundly();
    }

    /** The host has dropped what it could not write, so a later success would be a lie. */
    @Test
    void aFlushThatFailedFailsFromThenOn() {
        openRaw();
        assertThat(status(FLUSH, 0)).isEqualTo(OK);
        file.fail(operation -> operation == 0 ? "Input/output error" : null);

        assertThat(status(FLUSH, 0)).isEqualTo(IOERR);
        assertThat(status(FLUSH, 0)).isEqualTo(IOERR);
        driver.start(0);
        assertThat(status(FLUSH, 0)).isEqualTo(IOERR);
        readsSoundly();
    }

    private static Qcow2Image open(MemoryChannel file) throws IOException {
        return new Qcow2Image(file, FileHoles.NONE, Qcow2Header.read(file), Optional.empty(), false);
    }

    private String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        // 3 = clusters that nobody uses, and nothing worse
        assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isIn(0, 3);
        return output;
    }

    /**
     * Any one operation on a qcow2 file fails, or all from one on: what succeeded is there, and qemu-img finds nothing
     * worse than clusters that nobody uses.
     */
    @Test
    void aQcow2ImageStaysConsistentWhicheverOperationFails() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-img")),
                "qemu-img is not installed: run tools/install-oracles.sh");
        System.out.printf("faults of a qcow2 file: seed %d%n", SEED);
        int tries = Integer.getInteger("gunyah.disk-faults", 40);
        byte[] empty = EmptyQcow2.of(SIZE);
        MemoryChannel whole = new MemoryChannel(empty);
        exercise(whole, MemoryChannel.Faults.NONE, SEED, "no fault");
        int operations = whole.operations();
        Random random = new Random(SEED);
        for (int i = 0; i < tries; i++) {
            int first = random.nextInt(operations);
            boolean forGood = random.nextInt(3) == 0;
            MemoryChannel image = new MemoryChannel(empty);
            exercise(image, operation -> operation == first || forGood && operation > first ? "fault" : null, SEED,
                    "operation %d of %d fails%s".formatted(first, operations, forGood ? ", and all after it" : ""));
            Files.write(directory.resolve("image"), image.content());
            run("qemu-img", "check", "-f", "qcow2", "image");
        }
    }

    private static void exercise(MemoryChannel file, MemoryChannel.Faults faults, long seed, String what)
            throws IOException {
        Random random = new Random(seed);
        byte[] model = new byte[SIZE];
        BitSet doubtful = new BitSet();
        Qcow2Image image = open(file);
        file.fail(faults);
        for (int step = 0; step < 100; step++) {
            int sectors = 1 + random.nextInt(60);
            int at = random.nextInt(SIZE / 512 - sectors);
            byte[] data = new byte[sectors * 512];
            int kind = random.nextInt(8);
            if (kind < 4) {
                random.nextBytes(data);
            }
            try {
                switch (kind) {
                    case 4 -> image.zero(at * 512L, data.length, random.nextBoolean());
                    case 5, 6 -> image.flush();
                    case 7 -> {
                        image.read(at * 512L, data, 0, data.length);
                        matches(data, at, model, doubtful, what);
                    }
                    default -> image.write(at * 512L, data, 0, data.length);
                }
                if (kind < 5) {
                    System.arraycopy(data, 0, model, at * 512, data.length);
                    doubtful.clear(at, at + sectors);
                }
            } catch (IOException e) {
                if (kind < 5) {
                    doubtful.set(at, at + sectors);
                }
            }
        }
        try {
            image.close();
        } catch (IOException e) {
            // some of it may not be in the file
            return;
        }
        byte[] all = new byte[SIZE];
        open(new MemoryChannel(file.content())).read(0, all, 0, SIZE);
        matches(all, 0, model, doubtful, what);
    }

    private static void matches(byte[] data, int first, byte[] model, BitSet doubtful, String what) {
        for (int sector = 0; sector < data.length / 512; sector++) {
            if (!doubtful.get(first + sector)) {
                int in = (first + sector) * 512;
                assertThat(Arrays.equals(data, sector * 512, sector * 512 + 512, model, in, in + 512))
                        .as("sector %d; %s, seed %d", first + sector, what, SEED).isTrue();
            }
        }
    }
}
