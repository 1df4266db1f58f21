package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import gunyah.config.BadInput;
import gunyah.config.DiskConfig;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A raw disk as a driver sees it. */
class VirtioBlockTest {
    private static final int SECTORS = 2048;
    private static final byte OK = 0;
    private static final byte IOERR = 1;
    private static final byte UNSUPP = 2;

    @TempDir
    private Path directory;
    private Path file;
    private byte[] contents;
    private DiskImage image;
    private TestDriver driver;

    @BeforeEach
    void makeDisk() throws IOException {
        file = directory.resolve("disk.img");
        contents = new byte[SECTORS * 512 + 100];
        new Random(42).nextBytes(contents);
        Files.write(file, contents);
        open(false);
    }

    @AfterEach
    void close() {
        driver.transport.close();
    }

    private void open(boolean readOnly) {
        image = DiskImages.open(new DiskConfig(file, readOnly, Optional.of(DiskConfig.Format.RAW)));
        driver = new TestDriver(new VirtioBlock("disk0", image, readOnly, 3)).start(0);
    }

    private static Part header(int type, long sector) {
        byte[] header = new byte[16];
        Bits.le32(header, 0, type);
        Bits.le64(header, 8, sector);
        return Part.out(header);
    }

    private byte status(byte[] answer) {
        return answer[answer.length - 1];
    }

    private static byte[] range(long sector, int sectors, int flags) {
        byte[] range = new byte[16];
        Bits.le64(range, 0, sector);
        Bits.le32(range, 8, sectors);
        Bits.le32(range, 12, flags);
        return range;
    }

    @Test
    void tellsItsSizeAndQueues() {
        assertThat(driver.transport.read(0x100, 4)).isEqualTo(SECTORS);
        assertThat(driver.transport.read(0x114, 4)).isEqualTo(512);
        assertThat(driver.transport.read(0x122, 2)).isEqualTo(3);
        driver.write(0x14, 0);
        assertThat(driver.read(0x10) & 0xffff).isEqualTo(0x7244);
    }

    @Test
    void readsScatteredSectors() {
        byte[] answer = driver.call(1, header(0, 7), Part.in(100), Part.in(924), Part.in(1));

        assertThat(status(answer)).isEqualTo(OK);
        assertThat(Arrays.copyOf(answer, 1024)).isEqualTo(Arrays.copyOfRange(contents, 7 * 512, 9 * 512));
        assertThat(driver.usedLength(1)).isEqualTo(1025);
    }

    @Test
    void writesAndFlushes() throws IOException {
        byte[] data = new byte[1024];
        new Random(7).nextBytes(data);

        assertThat(status(driver.call(0, header(1, 100), Part.out(data), Part.in(1)))).isEqualTo(OK);
        assertThat(status(driver.call(0, header(4, 0), Part.in(1)))).isEqualTo(OK);

        System.arraycopy(data, 0, contents, 100 * 512, 1024);
        assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    }

    /** The lock of a channel stands for another process's: both are in each other's way. */
    private boolean isFree(Path name) throws IOException {
        try (FileChannel other = FileChannel.open(name, StandardOpenOption.WRITE)) {
            return other.tryLock() != null;
        }
    }

    @Test
    void aDiskThatIsOpenIsNobodyElsesWhoeverTriesAndReads() throws IOException {
        assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
        Path link = Files.createLink(directory.resolve("link.img"), file);
        for (Path name : new Path[] {file, link}) {
            assertThatThrownBy(() -> DiskImages.open(new DiskConfig(name, false, Optional.of(DiskConfig.Format.RAW))))
                    .isInstanceOf(BadInput.class).hasMessage("disk %s is given twice, or in use by another program: give "
                            + "each VM its own, or all of them ',ro'", name);
            assertThat(isFree(name)).as("after it was refused").isFalse();
        }
        DiskImages.open(new DiskConfig(file, true, Optional.of(DiskConfig.Format.RAW))).close();
        assertThat(isFree(file)).as("after it was read").isFalse();

        close();
        assertThat(isFree(file)).as("after it was closed").isTrue();
        open(false);
    }

    @Test
    void namesItself() {
        byte[] answer = driver.call(0, header(8, 0), Part.in(20), Part.in(1));

        assertThat(new String(answer, 0, 5)).isEqualTo("disk0");
        assertThat(status(answer)).isEqualTo(OK);
    }

    @Test
    void zeroesRanges() throws IOException {
        byte[] ranges = Arrays.copyOf(range(3, 2, 1), 32);
        System.arraycopy(range(10, 1, 0), 0, ranges, 16, 16);

        assertThat(status(driver.call(0, header(13, 0), Part.out(ranges), Part.in(1)))).isEqualTo(OK);

        Arrays.fill(contents, 3 * 512, 5 * 512, (byte) 0);
        Arrays.fill(contents, 10 * 512, 11 * 512, (byte) 0);
        assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    }

    @Test
    void whatIsDiscardedTakesNoSpace() throws Exception {
        HostBlocks.assumeHoles(directory);
        long before = HostBlocks.of(file);

        assertThat(status(driver.call(0, header(11, 0), Part.out(range(256, 512, 0)), Part.in(1)))).isEqualTo(OK);
        assertThat(HostBlocks.of(file)).isEqualTo(before - 512);
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(1024, 256, 1)), Part.in(1)))).isEqualTo(OK);
        assertThat(HostBlocks.of(file)).isEqualTo(before - 768);
        // without the flag the place has to be kept, and is
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(1280, 256, 0)), Part.in(1)))).isEqualTo(OK);
        assertThat(HostBlocks.of(file)).isEqualTo(before - 768);
        // parts of the file system's blocks become zeros
        assertThat(status(driver.call(0, header(11, 0), Part.out(range(1, 1, 0)), Part.in(1)))).isEqualTo(OK);
        assertThat(HostBlocks.of(file)).isEqualTo(before - 768);

        Arrays.fill(contents, 256 * 512, 768 * 512, (byte) 0);
        Arrays.fill(contents, 1024 * 512, 1536 * 512, (byte) 0);
        Arrays.fill(contents, 512, 1024, (byte) 0);
        assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    }

    @Test
    void withoutHolesADiscardDoesNothingAndZerosAreWritten() throws IOException {
        image.close();
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        image = new RawImage(channel, FileHoles.NONE, SECTORS * 512L);
        driver = new TestDriver(new VirtioBlock("disk0", image, false, 1)).start(0);

        assertThat(status(driver.call(0, header(11, 0), Part.out(range(256, 512, 0)), Part.in(1)))).isEqualTo(OK);
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(1024, 256, 1)), Part.in(1)))).isEqualTo(OK);

        Arrays.fill(contents, 1024 * 512, 1280 * 512, (byte) 0);
        assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    }

    @Test
    void refusesRangesThatAreOutsideOrHaveUnknownFlags() {
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(SECTORS, 1, 0)), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(-1, 1, 0)), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(0, 1, 2)), Part.in(1)))).isEqualTo(UNSUPP);
        assertThat(status(driver.call(0, header(11, 0), Part.out(range(0, 1, 1)), Part.in(1)))).isEqualTo(UNSUPP);
        assertThat(status(driver.call(0, header(11, 0), Part.out(new byte[15]), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(11, 0), Part.in(1)))).isEqualTo(IOERR);
    }

    @Test
    void refusesWhatIsOutsideTheDisk() {
        assertThat(status(driver.call(0, header(0, SECTORS), Part.in(512), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(0, SECTORS - 1), Part.in(1024), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(0, Long.MAX_VALUE), Part.in(512), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(1, -1), Part.out(new byte[512]), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(0, 0), Part.in(511), Part.in(1)))).isEqualTo(IOERR);
    }

    @Test
    void doesNotKnowOtherRequests() {
        assertThat(status(driver.call(0, header(99, 0), Part.in(1)))).isEqualTo(UNSUPP);
    }

    @Test
    void aRequestWithoutRoomForItsStatusNeedsAReset() {
        driver.chain(0, 0, header(4, 0));
        driver.notify(0);
        assertThat(driver.isBroken()).isTrue();

        driver.start(0);
        driver.chain(0, 0, Part.out(new byte[15]), Part.in(1));
        driver.notify(0);
        assertThat(driver.isBroken()).isTrue();
    }

    @Test
    void aReadOnlyDiskStaysAsItIs() throws IOException {
        driver.transport.close();
        open(true);

        driver.write(0x14, 0);
        assertThat(driver.read(0x10) & 0x6020).isEqualTo(0x20);
        assertThat(status(driver.call(0, header(1, 0), Part.out(new byte[512]), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(13, 0), Part.out(range(0, 1, 0)), Part.in(1)))).isEqualTo(IOERR);
        assertThat(status(driver.call(0, header(4, 0), Part.in(1)))).isEqualTo(OK);
        assertThat(Files.readAllBytes(file)).isEqualTo(contents);
    }

    @Test
    void aFaultOfTheFileIsToldToTheGuest() throws IOException {
        image.close();

        assertThat(status(driver.call(0, header(0, 0), Part.in(512), Part.in(1)))).isEqualTo(IOERR);
        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void twoDisksDoNotWriteToOneFile() throws IOException {
        DiskImages.open(new DiskConfig(file, true, Optional.empty())).close();
        DiskConfig again = new DiskConfig(file, false, Optional.empty());

        assertThatThrownBy(() -> DiskImages.open(again)).isInstanceOf(BadInput.class).hasMessageContaining("in use");
        assertThatThrownBy(() -> DiskImages.open(new DiskConfig(directory, false, Optional.empty())))
                .isInstanceOf(BadInput.class).hasMessageContaining("not a regular file");
        assertThatThrownBy(() -> DiskImages.open(new DiskConfig(directory.resolve("no"), false, Optional.empty())))
                .isInstanceOf(BadInput.class).hasMessageContaining("does not exist");
        Path empty = Files.write(directory.resolve("empty"), new byte[511]);
        for (int tries = 0; tries < 2; tries++) {
            assertThatThrownBy(() -> DiskImages.open(new DiskConfig(empty, false, Optional.empty())))
                    .isInstanceOf(BadInput.class).hasMessageContaining("no whole sector");
        }
    }
}
