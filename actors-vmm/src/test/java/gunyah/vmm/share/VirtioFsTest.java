package gunyah.vmm.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shared folder by FUSE requests of a driver, and what a guest must not get at. */
class VirtioFsTest {
    private static final int ROOM = 8192;
    private static final int ROOT = 1;

    @TempDir
    private Path outside;
    private Path folder;
    private TestDriver driver;

    @BeforeEach
    void share() throws IOException {
        folder = Files.createDirectory(outside.resolve("shared"));
        Files.writeString(outside.resolve("secret"), "secret");
        Files.writeString(folder.resolve("hello"), "hello world");
        Files.createDirectory(folder.resolve("sub"));
        Files.createSymbolicLink(folder.resolve("way-out"), outside);
        driver = new TestDriver(new VirtioFs("share0", new SharedFolder(folder))).start(0);
    }

    /** Sends a request. {@return the answer, header included} */
    private byte[] request(int opcode, long node, byte[]... bodies) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] piece : bodies) {
            body.writeBytes(piece);
        }
        byte[] header = new byte[40];
        Bits.le32(header, 0, 40 + body.size());
        Bits.le32(header, 4, opcode);
        Bits.le64(header, 8, 99);
        Bits.le64(header, 16, node);
        byte[] answer = driver.call(1, Part.out(header), Part.out(body.toByteArray()), Part.in(16), Part.in(ROOM));
        assertThat(Bits.le64(answer, 8)).isEqualTo(99);
        assertThat(Bits.le32(answer, 0)).isEqualTo(driver.usedLength(1));
        return answer;
    }

    private static int error(byte[] answer) {
        return -Bits.le32(answer, 4);
    }

    private static byte[] name(String... names) {
        return (String.join("\0", names) + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] words(long... words) {
        ByteBuffer bytes = ByteBuffer.allocate(words.length * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (long word : words) {
            bytes.putLong(word);
        }
        return bytes.array();
    }

    private long lookUp(long parent, String name) {
        byte[] answer = request(1, parent, name(name));
        assertThat(error(answer)).as(name).isZero();
        return Bits.le64(answer, 16);
    }

    private byte[] read(long handle, long offset, int size) {
        byte[] answer = request(15, ROOT, words(handle, offset, size, 0, 0));
        assertThat(error(answer)).isZero();
        return Arrays.copyOfRange(answer, 16, Bits.le32(answer, 0));
    }

    private long open(long node, int flags) {
        byte[] answer = request(14, node, words(flags));
        assertThat(error(answer)).isZero();
        return Bits.le64(answer, 16);
    }

    @Test
    void agreesOnTheProtocol() {
        byte[] answer = request(26, 0, words(7 | 40L << 32, 0xffff_ffffL << 32));

        assertThat(Bits.le32(answer, 0)).isEqualTo(80);
        assertThat(Bits.le32(answer, 16)).isEqualTo(7);
        assertThat(Bits.le32(answer, 36)).isEqualTo(128 << 10);
    }

    @Test
    void readsAFile() {
        long node = lookUp(ROOT, "hello");
        long handle = open(node, 0);

        assertThat(read(handle, 6, 100)).isEqualTo("world".getBytes());
        assertThat(read(handle, 100, 100)).isEmpty();
        request(18, node, words(handle, 0, 0));
        assertThat(error(request(15, node, words(handle, 0, 1, 0, 0)))).isEqualTo(FsError.EBADF);
    }

    @Test
    void makesWritesAndCutsAFile() throws IOException {
        byte[] answer = request(35, ROOT, words(2 | 0644L << 32, 022), name("new"));
        assertThat(error(answer)).isZero();
        long node = Bits.le64(answer, 16);
        long handle = Bits.le64(answer, 144);
        assertThat(error(request(16, node, words(handle, 3, 4, 0, 0), "data".getBytes()))).isZero();
        assertThat(Files.readAllBytes(folder.resolve("new"))).isEqualTo("\0\0\0data".getBytes());

        byte[] set = new byte[88];
        Bits.le32(set, 0, 9);
        Bits.le64(set, 16, 5);
        Bits.le32(set, 68, 0600);
        assertThat(error(request(4, node, set))).isZero();

        assertThat(Files.size(folder.resolve("new"))).isEqualTo(5);
        assertThat(Files.getPosixFilePermissions(folder.resolve("new"))).hasSize(2);
    }

    @Test
    void listsAFolder() {
        long handle = Bits.le64(request(27, ROOT, words(0)), 16);
        byte[] answer = request(28, ROOT, words(handle, 0, 4096, 0, 0));

        String text = new String(answer, 16, Bits.le32(answer, 0) - 16, StandardCharsets.ISO_8859_1);
        assertThat(text).contains("hello", "sub", "way-out").doesNotContain("secret");
        byte[] rest = request(28, ROOT, words(handle, 4, 4096, 0, 0));
        assertThat(Bits.le32(rest, 0)).isEqualTo(16 + 32);
    }

    @Test
    void makesRenamesAndRemovesFolders() {
        assertThat(error(request(9, ROOT, words(0755), name("a")))).isZero();
        long a = lookUp(ROOT, "a");
        long sub = lookUp(ROOT, "sub");
        assertThat(error(request(12, ROOT, words(a), name("sub", "b")))).isZero();
        assertThat(folder.resolve("a/b")).isDirectory();
        assertThat(error(request(9, sub, words(0755), name("c")))).isZero();
        assertThat(folder.resolve("a/b/c")).isDirectory();
        assertThat(error(request(12, ROOT, words(sub), name("a", "x")))).isEqualTo(FsError.EINVAL);
        assertThat(error(request(11, ROOT, name("a")))).isEqualTo(FsError.ENOTEMPTY);
        assertThat(error(request(10, ROOT, name("a")))).isEqualTo(FsError.EISDIR);
        assertThat(error(request(10, ROOT, name("hello")))).isZero();
        assertThat(folder.resolve("hello")).doesNotExist();
    }

    @Test
    void nothingLeadsOutOfTheFolder() {
        for (String way : new String[] {"..", ".", "", "../secret", "sub/../../secret", "/etc/passwd"}) {
            assertThat(error(request(1, ROOT, name(way)))).as(way).isEqualTo(FsError.EINVAL);
        }
        long link = lookUp(ROOT, "way-out");
        assertThat(error(request(1, link, name("secret")))).isEqualTo(FsError.ENOTDIR);
        assertThat(error(request(14, link, words(0)))).isEqualTo(FsError.ELOOP);
        assertThat(error(request(35, link, words(0644L << 32 | 1, 0), name("new")))).isEqualTo(FsError.ENOTDIR);
        assertThat(error(request(4, link, new byte[88]))).isEqualTo(FsError.EPERM);
        assertThat(error(request(6, ROOT, name("link", "/etc")))).isEqualTo(FsError.EPERM);
    }

    @Test
    void aLinkMovedToAKnownFoldersPlaceLeadsNowhere() {
        long sub = lookUp(ROOT, "sub");
        assertThat(error(request(12, ROOT, words(ROOT), name("sub", "elsewhere")))).isZero();
        assertThat(error(request(12, ROOT, words(ROOT), name("way-out", "sub")))).isZero();

        assertThat(error(request(1, sub, name("secret")))).isEqualTo(FsError.ENOENT);
        assertThat(error(request(1, lookUp(ROOT, "sub"), name("secret")))).isEqualTo(FsError.ENOTDIR);
    }

    @Test
    void forgottenNodesAreGone() {
        long node = lookUp(ROOT, "hello");
        byte[] header = new byte[48];
        Bits.le32(header, 0, 48);
        Bits.le32(header, 4, 2);
        Bits.le64(header, 16, node);
        Bits.le64(header, 40, 1);
        driver.call(0, Part.out(header));

        assertThat(error(request(3, node, words(0, 0)))).isEqualTo(FsError.ENOENT);
    }

    @Test
    void requestsOfAnyContentAreAnswered() {
        long seed = Long.getLong("gunyah.seed", 20261125);
        int mutants = Integer.getInteger("gunyah.mutants", 3_000);
        System.out.printf("file system requests: seed %d, %d mutants%n", seed, mutants);
        Random random = new Random(seed);
        for (int i = 0; i < mutants; i++) {
            byte[] request = new byte[40 + random.nextInt(100)];
            random.nextBytes(request);
            Bits.le32(request, 4, random.nextInt(48));
            Bits.le64(request, 16, random.nextInt(4));
            for (int at = 40; at + 8 <= request.length && random.nextInt(3) != 0; at += 8) {
                Bits.le64(request, at, random.nextInt(3));
            }
            driver.call(1, Part.out(request), Part.in(16 + random.nextInt(300)));
            assertThat(driver.isBroken()).as("seed %d, mutant %d", seed, i).isFalse();
        }
        assertThat(outside.resolve("secret")).hasContent("secret");
        assertThat(Files.exists(outside.resolve("shared"), LinkOption.NOFOLLOW_LINKS)).isTrue();
    }

    @Test
    void onlyFoldersAreShared() {
        assertThatThrownBy(() -> new SharedFolder(folder.resolve("hello"))).isInstanceOf(BadInput.class);
        assertThatThrownBy(() -> new SharedFolder(folder.resolve("absent"))).isInstanceOf(BadInput.class);
    }
}
