package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DiskConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** What tests do to disks of guests with this computer's own tools. */
final class HostTools {
    private HostTools() {
    }

    /** {@return a new file of so many bytes, with an empty ext4 file system} */
    static Path ext4(Path file, long size) throws IOException, InterruptedException {
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(size);
        }
        assertThat(run("/sbin/mke2fs", "-q", "-t", "ext4", file.toString())).isZero();
        return file;
    }

    /** {@return a port that nobody listens at now} */
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** {@return what a file takes of its file system, in units of 512 bytes} */
    static long blocks(Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(process.waitFor()).isZero();
        return Long.parseLong(text.strip());
    }

    /** {@return the exit status of a command, whose output is thrown away} */
    static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor();
    }

    /** An unclean file system is set right by its journal alone, and is sound then. */
    static void recovers(Path disk) throws IOException, InterruptedException {
        assertThat(run("/sbin/e2fsck", "-p", disk.toString())).as("exit status of e2fsck -p").isLessThan(2);
        assertThat(run("/sbin/e2fsck", "-fn", disk.toString())).as("exit status of e2fsck -fn").isZero();
    }

    static DiskConfig raw(Path file, boolean readOnly) {
        return new DiskConfig(file, readOnly, Optional.of(DiskConfig.Format.RAW));
    }

    static String digest(String algorithm, byte[] bytes) {
        return HexFormat.of().formatHex(digest(algorithm).digest(bytes));
    }

    /** {@return the digest of the first {@code length} bytes of a file} */
    static String digest(String algorithm, Path file, long length) throws IOException {
        MessageDigest digest = digest(algorithm);
        byte[] piece = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (long left = length; left > 0; ) {
                int count = in.read(piece, 0, (int) Math.min(left, piece.length));
                assertThat(count).as("%s is shorter than %d bytes", file, length).isPositive();
                digest.update(piece, 0, count);
                left -= count;
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
