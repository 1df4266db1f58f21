package gunyah.vmm.share;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What the guest is told of a file. Everything belongs to its root, whoever has it here.
 *
 * @param mode type and permissions, as stat(2) has them
 */
record FileStat(long inode, int mode, int links, long size, long accessedNs, long modifiedNs, long changedNs) {
    static final int TYPE = 0xf000;
    static final int FOLDER = 0x4000;
    static final int REGULAR = 0x8000;
    static final int LINK = 0xa000;

    private static final int BLOCK = 512;
    private static final int IO_SIZE = 4096;
    private static final long SECOND = 1_000_000_000L;

    /** Looks at a file, not at what a symbolic link leads to. */
    static FileStat of(Path path) throws IOException {
        Map<String, Object> all = Files.readAttributes(path, "unix:ino,mode,nlink,size,lastAccessTime,"
                + "lastModifiedTime,ctime", LinkOption.NOFOLLOW_LINKS);
        return new FileStat((Long) all.get("ino"), (Integer) all.get("mode"), (Integer) all.get("nlink"),
                (Long) all.get("size"), ns(all.get("lastAccessTime")), ns(all.get("lastModifiedTime")),
                ns(all.get("ctime")));
    }

    private static long ns(Object time) {
        return ((FileTime) time).to(TimeUnit.NANOSECONDS);
    }

    boolean isFolder() {
        return (mode & TYPE) == FOLDER;
    }

    boolean isRegular() {
        return (mode & TYPE) == REGULAR;
    }

    boolean isLink() {
        return (mode & TYPE) == LINK;
    }

    /** Writes struct fuse_attr. */
    void put(FuseMessage message) {
        message.put64(inode).put64(size).put64((size + BLOCK - 1) / BLOCK)
                .put64(Math.floorDiv(accessedNs, SECOND)).put64(Math.floorDiv(modifiedNs, SECOND))
                .put64(Math.floorDiv(changedNs, SECOND))
                .put32((int) Math.floorMod(accessedNs, SECOND)).put32((int) Math.floorMod(modifiedNs, SECOND))
                .put32((int) Math.floorMod(changedNs, SECOND))
                .put32(mode).put32(links).put32(0).put32(0).put32(0).put32(IO_SIZE).put32(0);
    }
}
