package gunyah.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes a cpio archive of the form an initramfs has: "newc", each header and each file padded to 4 bytes (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and has time 0, so that the
 * same contents give the same bytes.
 */
final class CpioArchive {
    private static final int DIRECTORY = 0040000;
    private static final int FILE = 0100000;
    private static final int SYMLINK = 0120000;
    private static final int CHARACTER_DEVICE = 0020000;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int inode = 1;

    CpioArchive directory(String path) {
        return entry(path, DIRECTORY | 0755, new byte[0], 0, 0);
    }

    CpioArchive file(String path, int permissions, byte[] contents) {
        return entry(path, FILE | permissions, contents, 0, 0);
    }

    CpioArchive symlink(String path, String target) {
        return entry(path, SYMLINK | 0777, target.getBytes(StandardCharsets.UTF_8), 0, 0);
    }

    CpioArchive characterDevice(String path, int permissions, int major, int minor) {
        return entry(path, CHARACTER_DEVICE | permissions, new byte[0], major, minor);
    }

    /** {@return the finished archive, trailer included} The writer must not be used any more. */
    byte[] toBytes() {
        entry("TRAILER!!!", 0, new byte[0], 0, 0);
        return bytes.toByteArray();
    }

    private CpioArchive entry(String path, int mode, byte[] contents, int major, int minor) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        bytes.writeBytes("070701".getBytes(StandardCharsets.US_ASCII));
        // inode, mode, uid, gid, links, mtime, size, device of the file (2), device it is (2), name size, checksum
        int[] fields = {inode++, mode, 0, 0, 1, 0, contents.length, 0, 0, major, minor, name.length + 1, 0};
        for (int field : fields) {
            bytes.writeBytes("%08x".formatted(field).getBytes(StandardCharsets.US_ASCII));
        }
        bytes.writeBytes(name);
        bytes.write(0);
        pad();
        bytes.writeBytes(contents);
        pad();
        return this;
    }

    private void pad() {
        while (bytes.size() % 4 != 0) {
            bytes.write(0);
        }
    }
}
