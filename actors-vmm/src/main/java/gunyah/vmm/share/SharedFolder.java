package gunyah.vmm.share;

import gunyah.config.BadInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Serves FUSE requests for a folder of this computer, with the rights this program has. Symbolic links are shown and not
 * followed, and the guest cannot make any; devices, pipes and sockets are shown and cannot be opened. Not thread safe;
 * blocks for files.
 */
public final class SharedFolder {
    /** Bytes of one read or write. */
    static final int MAX_DATA = 128 << 10;

    private static final int LOOKUP = 1;
    private static final int FORGET = 2;
    private static final int GETATTR = 3;
    private static final int SETATTR = 4;
    private static final int READLINK = 5;
    private static final int SYMLINK = 6;
    private static final int MKNOD = 8;
    private static final int MKDIR = 9;
    private static final int UNLINK = 10;
    private static final int RMDIR = 11;
    private static final int RENAME = 12;
    private static final int LINK = 13;
    private static final int OPEN = 14;
    private static final int READ = 15;
    private static final int WRITE = 16;
    private static final int STATFS = 17;
    private static final int RELEASE = 18;
    private static final int FSYNC = 20;
    private static final int FLUSH = 25;
    private static final int INIT = 26;
    private static final int OPENDIR = 27;
    private static final int READDIR = 28;
    private static final int RELEASEDIR = 29;
    private static final int FSYNCDIR = 30;
    private static final int CREATE = 35;
    private static final int DESTROY = 38;
    private static final int BATCH_FORGET = 42;
    private static final int RENAME2 = 45;

    private static final int MAJOR = 7;
    private static final int MINOR = 31;
    private static final int INIT_FLAGS = 1 | 1 << 3 | 1 << 5 | 1 << 22;
    private static final int MAX_NODES = 200_000;
    private static final int MAX_NAMES = 100_000;
    private static final long ROOT = 1;
    private static final int O_ACCESS = 3;
    private static final int O_TRUNC = 0x200;
    private static final int O_EXCL = 0x80;
    private static final int RENAME_NOREPLACE = 1;
    private static final int SET_MODE = 1;
    private static final int SET_SIZE = 8;
    private static final int SET_ATIME = 16;
    private static final int SET_MTIME = 32;
    private static final int SET_ATIME_NOW = 128;
    private static final int SET_MTIME_NOW = 256;
    private static final int DIRENT = 24;
    private static final int MAX_LINK = 4096;

    private final Path folder;
    private final Map<Long, FolderNode> nodes = new HashMap<>();
    private final OpenFiles open = new OpenFiles();
    private FolderNode root;
    private long nextNode;

    /** @throws BadInput when there is no such folder */
    public SharedFolder(Path folder) {
        try {
            this.folder = folder.toRealPath();
        } catch (IOException e) {
            throw new BadInput("shared folder %s does not exist".formatted(folder), e);
        }
        if (!Files.isDirectory(this.folder)) {
            throw new BadInput("shared folder %s is no folder".formatted(folder));
        }
        forgetAll();
    }

    /** Forgets what the guest knew and closes what it had open. */
    void forgetAll() {
        open.releaseAll();
        nodes.clear();
        root = new FolderNode(ROOT, null, "");
        root.lookedUp();
        nodes.put(ROOT, root);
        nextNode = ROOT + 1;
    }

    /** Serves one request. {@return bytes of the answer; 0 for requests that have none} */
    int serve(FuseMessage message, int room) {
        int opcode = message.opcode();
        try {
            if (opcode == FORGET) {
                forget(message.node(), message.u64());
                return 0;
            }
            if (opcode == BATCH_FORGET) {
                forgetMany(message);
                return 0;
            }
            serve(opcode, message, room);
            return message.finish(0);
        } catch (FsError e) {
            return opcode == FORGET || opcode == BATCH_FORGET ? 0 : message.finish(e.number());
        } catch (InvalidPathException e) {
            return message.finish(FsError.EINVAL);
        } catch (NonReadableChannelException | NonWritableChannelException e) {
            return message.finish(FsError.EBADF);
        } catch (IOException e) {
            return message.finish(FsError.of(e));
        }
    }

    private void serve(int opcode, FuseMessage message, int room) throws FsError, IOException {
        switch (opcode) {
            case INIT -> init(message);
            case LOOKUP -> entry(message, node(message.node()), message.name());
            case GETATTR -> attributes(message, path(message.node()));
            case SETATTR -> set(message);
            case READLINK -> readLink(message);
            case MKDIR -> makeFolder(message);
            case UNLINK, RMDIR -> remove(message, opcode == RMDIR);
            case RENAME -> rename(message, message.u64(), 0);
            case RENAME2 -> rename2(message);
            case OPEN -> open(message);
            case CREATE -> create(message);
            case READ -> read(message, room);
            case WRITE -> write(message);
            case STATFS -> statistics(message);
            case RELEASE, RELEASEDIR -> open.release(message.u64());
            case FSYNC -> open.file(message.u64()).force(true);
            case OPENDIR -> openFolder(message);
            case READDIR -> list(message, room);
            case FLUSH, FSYNCDIR, DESTROY -> { }
            case SYMLINK, LINK, MKNOD -> throw new FsError(FsError.EPERM);
            default -> throw new FsError(FsError.ENOSYS);
        }
    }

    private static void init(FuseMessage message) throws FsError {
        message.skip(8);
        int readAhead = message.u32();
        int offered = message.u32();
        message.put32(MAJOR).put32(MINOR).put32(readAhead).put32(offered & INIT_FLAGS).put32(12 << 16 | 16)
                .put32(MAX_DATA).put32(1).put32(MAX_DATA / 4096).zeros(32);
    }

    private FolderNode node(long id) throws FsError {
        FolderNode node = nodes.get(id);
        if (node == null) {
            throw new FsError(FsError.ENOENT);
        }
        return node;
    }

    private Path path(long id) throws FsError {
        return node(id).path(root, folder);
    }

    /** A name in a folder: what is named there need not exist, the folder must, and is none that a link leads to. */
    private Path path(FolderNode parent, String name) throws FsError, IOException {
        Path path = parent.path(root, folder);
        if (!FileStat.of(path).isFolder()) {
            throw new FsError(FsError.ENOTDIR);
        }
        return path.resolve(name);
    }

    private void entry(FuseMessage message, FolderNode parent, String name) throws FsError, IOException {
        FileStat stat = FileStat.of(path(parent, name));
        FolderNode node = parent.child(name);
        if (node == null) {
            if (nodes.size() >= MAX_NODES) {
                throw new FsError(FsError.ENFILE);
            }
            node = new FolderNode(nextNode++, parent, name);
            nodes.put(node.id(), node);
        }
        node.lookedUp();
        message.put64(node.id()).put64(0).put64(0).put64(0).put32(0).put32(0);
        stat.put(message);
    }

    private void forgetMany(FuseMessage message) throws FsError {
        long count = message.u32() & 0xffff_ffffL;
        message.skip(4);
        for (long i = 0; i < count; i++) {
            forget(message.u64(), message.u64());
        }
    }

    private void forget(long id, long count) {
        FolderNode node = nodes.get(id);
        if (node == null || node == root || !node.forget(count)) {
            return;
        }
        while (node != null && node != root && node.isForgotten() && !node.hasChildren()) {
            FolderNode parent = node.parent();
            node.detach();
            nodes.remove(node.id());
            node = parent;
        }
    }

    private static void attributes(FuseMessage message, Path path) throws IOException {
        FileStat stat = FileStat.of(path);
        message.put64(0).put64(0);
        stat.put(message);
    }

    private void set(FuseMessage message) throws FsError, IOException {
        Path path = path(message.node());
        FileStat before = FileStat.of(path);
        if (before.isLink()) {
            throw new FsError(FsError.EPERM);
        }
        int valid = message.u32();
        message.skip(12);
        long size = message.u64();
        message.skip(8);
        long accessed = message.u64();
        long modified = message.u64();
        message.skip(8);
        int accessedNs = message.u32();
        int modifiedNs = message.u32();
        message.skip(4);
        int mode = message.u32();
        if ((valid & SET_MODE) != 0) {
            Files.setPosixFilePermissions(path, permissions(mode));
        }
        if ((valid & SET_SIZE) != 0) {
            resize(path, before, size);
        }
        FileTime access = time(valid, SET_ATIME, SET_ATIME_NOW, accessed, accessedNs);
        FileTime modify = time(valid, SET_MTIME, SET_MTIME_NOW, modified, modifiedNs);
        if (access != null || modify != null) {
            Files.getFileAttributeView(path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setTimes(modify, access, null);
        }
        attributes(message, path);
    }

    private static FileTime time(int valid, int given, int now, long seconds, int ns) throws FsError {
        if ((valid & now) != 0) {
            return FileTime.fromMillis(System.currentTimeMillis());
        }
        if ((valid & given) == 0) {
            return null;
        }
        if (Math.abs(seconds) > Long.MAX_VALUE / 2_000_000_000L) {
            throw new FsError(FsError.EINVAL);
        }
        return FileTime.from(seconds * 1_000_000_000L + (ns & 0xffff_ffffL), TimeUnit.NANOSECONDS);
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        // the constants stand in the order of the mode's bits, from the highest
        for (PosixFilePermission permission : PosixFilePermission.values()) {
            if ((mode >> 8 - permission.ordinal() & 1) != 0) {
                set.add(permission);
            }
        }
        return set;
    }

    private static void resize(Path path, FileStat before, long size) throws FsError, IOException {
        if (!before.isRegular() || size < 0) {
            throw new FsError(before.isFolder() ? FsError.EISDIR : FsError.EINVAL);
        }
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            file.truncate(size);
            if (size > before.size()) {
                file.write(ByteBuffer.wrap(new byte[1]), size - 1);
            }
        }
    }

    private void readLink(FuseMessage message) throws FsError, IOException {
        Path path = path(message.node());
        if (!FileStat.of(path).isLink()) {
            throw new FsError(FsError.EINVAL);
        }
        byte[] target = Files.readSymbolicLink(path).toString().getBytes(StandardCharsets.UTF_8);
        if (target.length > MAX_LINK) {
            throw new FsError(FsError.EIO);
        }
        message.put(target);
    }

    private void makeFolder(FuseMessage message) throws FsError, IOException {
        int mode = message.u32() & ~message.u32();
        FolderNode parent = node(message.node());
        String name = message.name();
        Path path = path(parent, name);
        Files.createDirectory(path);
        Files.setPosixFilePermissions(path, permissions(mode));
        entry(message, parent, name);
    }

    private void remove(FuseMessage message, boolean isFolder) throws FsError, IOException {
        FolderNode parent = node(message.node());
        String name = message.name();
        Path path = path(parent, name);
        if (FileStat.of(path).isFolder() != isFolder) {
            throw new FsError(isFolder ? FsError.ENOTDIR : FsError.EISDIR);
        }
        Files.delete(path);
        if (parent.child(name) != null) {
            parent.child(name).detach();
        }
    }

    private void rename2(FuseMessage message) throws FsError, IOException {
        long target = message.u64();
        int flags = message.u32();
        message.skip(4);
        rename(message, target, flags);
    }

    private void rename(FuseMessage message, long target, int flags) throws FsError, IOException {
        FolderNode from = node(message.node());
        FolderNode to = node(target);
        String oldName = message.name();
        String newName = message.name();
        if ((flags & ~RENAME_NOREPLACE) != 0) {
            throw new FsError(FsError.EINVAL);
        }
        FolderNode moved = from.child(oldName);
        if (moved != null && to.isUnder(moved)) {
            throw new FsError(FsError.EINVAL);
        }
        Path source = path(from, oldName);
        Path goal = path(to, newName);
        if ((flags & RENAME_NOREPLACE) != 0 && Files.exists(goal, LinkOption.NOFOLLOW_LINKS)) {
            throw new FsError(FsError.EEXIST);
        }
        Files.move(source, goal, StandardCopyOption.ATOMIC_MOVE);
        if (to.child(newName) != null && to.child(newName) != moved) {
            to.child(newName).detach();
        }
        if (moved != null) {
            moved.move(to, newName);
        }
    }

    private void open(FuseMessage message) throws FsError, IOException {
        Path path = path(message.node());
        FileStat stat = FileStat.of(path);
        if (!stat.isRegular()) {
            throw new FsError(stat.isFolder() ? FsError.EISDIR : stat.isLink() ? FsError.ELOOP : FsError.EACCES);
        }
        open.checkRoom();
        long handle = open.add(FileChannel.open(path, options(message.u32())));
        message.put64(handle).put64(0);
    }

    private static Set<OpenOption> options(int flags) {
        Set<OpenOption> options = new HashSet<>(Set.of(LinkOption.NOFOLLOW_LINKS));
        int access = flags & O_ACCESS;
        if (access != 1) {
            options.add(StandardOpenOption.READ);
        }
        if (access != 0) {
            options.add(StandardOpenOption.WRITE);
            if ((flags & O_TRUNC) != 0) {
                options.add(StandardOpenOption.TRUNCATE_EXISTING);
            }
        }
        return options;
    }

    private void create(FuseMessage message) throws FsError, IOException {
        int flags = message.u32();
        int mode = message.u32() & ~message.u32();
        message.skip(4);
        FolderNode parent = node(message.node());
        String name = message.name();
        Path path = path(parent, name);
        boolean exists = Files.exists(path, LinkOption.NOFOLLOW_LINKS);
        if (exists && (flags & O_EXCL) != 0) {
            throw new FsError(FsError.EEXIST);
        }
        if (exists && !FileStat.of(path).isRegular()) {
            throw new FsError(FsError.EACCES);
        }
        open.checkRoom();
        Set<OpenOption> options = options(flags | 1);
        options.add(exists ? StandardOpenOption.WRITE : StandardOpenOption.CREATE_NEW);
        if ((flags & O_ACCESS) == 0) {
            options.add(StandardOpenOption.READ);
        }
        FileChannel file = FileChannel.open(path, options);
        if (!exists) {
            Files.setPosixFilePermissions(path, permissions(mode));
        }
        long handle = open.add(file);
        try {
            entry(message, parent, name);
        } catch (FsError | IOException e) {
            open.release(handle);
            throw e;
        }
        message.put64(handle).put64(0);
    }

    private void read(FuseMessage message, int room) throws FsError, IOException {
        FileChannel file = open.file(message.u64());
        long offset = message.u64();
        int wanted = Math.min(Math.min(MAX_DATA, room - FuseMessage.OUT_HEADER), message.free());
        int size = Math.clamp(message.u32() & 0xffff_ffffL, 0, Math.max(0, wanted));
        if (offset < 0) {
            throw new FsError(FsError.EINVAL);
        }
        int at = message.room(size);
        int done = 0;
        while (done < size) {
            int count = file.read(ByteBuffer.wrap(message.answer(), at + done, size - done), offset + done);
            if (count < 0) {
                break;
            }
            done += count;
        }
        message.shorten(size - done);
    }

    private void write(FuseMessage message) throws FsError, IOException {
        FileChannel file = open.file(message.u64());
        long offset = message.u64();
        int size = message.u32();
        message.skip(20);
        int at = message.data(size);
        if (offset < 0 || offset > Long.MAX_VALUE - size) {
            throw new FsError(FsError.EINVAL);
        }
        ByteBuffer data = ByteBuffer.wrap(message.bytes(), at, size);
        while (data.hasRemaining()) {
            file.write(data, offset + data.position() - at);
        }
        message.put32(size).put32(0);
    }

    private void statistics(FuseMessage message) throws IOException {
        FileStore store = Files.getFileStore(folder);
        long block = 4096;
        message.put64(store.getTotalSpace() / block).put64(store.getUnallocatedSpace() / block)
                .put64(store.getUsableSpace() / block).put64(0).put64(0)
                .put32((int) block).put32(255).put32((int) block).put32(0).zeros(24);
    }

    private void openFolder(FuseMessage message) throws FsError, IOException {
        FolderNode node = node(message.node());
        Path path = node.path(root, folder);
        if (!FileStat.of(path).isFolder()) {
            throw new FsError(FsError.ENOTDIR);
        }
        open.checkRoom();
        List<String> names = new ArrayList<>(List.of(".", ".."));
        try (Stream<Path> files = Files.list(path)) {
            files.limit(MAX_NAMES).map(file -> file.getFileName().toString()).sorted().forEach(names::add);
        }
        message.put64(open.add(new OpenFiles.Listing(node, names))).put64(0);
    }

    private void list(FuseMessage message, int room) throws FsError {
        OpenFiles.Listing listing = open.listing(message.u64());
        long offset = message.u64();
        long size = Math.min(message.u32() & 0xffff_ffffL, Math.min(room, message.free()) - FuseMessage.OUT_HEADER);
        Path path = listing.folder().path(root, folder);
        for (long i = Math.max(0, offset); i < listing.names().size(); i++) {
            String text = listing.names().get((int) i);
            byte[] name = text.getBytes(StandardCharsets.UTF_8);
            int padding = -name.length & 7;
            size -= DIRENT + name.length + padding;
            if (size < 0) {
                return;
            }
            message.put64(inode(path, text)).put64(i + 1).put32(name.length).put32(type(path, text)).put(name)
                    .zeros(padding);
        }
    }

    private static long inode(Path path, String name) {
        try {
            return FileStat.of(name.equals("..") ? path : path.resolve(name)).inode();
        } catch (IOException e) {
            // gone meanwhile; any number but 0 will do
            return 1;
        }
    }

    private static int type(Path path, String name) {
        try {
            return (FileStat.of(name.equals("..") ? path : path.resolve(name)).mode() & FileStat.TYPE) >> 12;
        } catch (IOException e) {
            return 0;
        }
    }
}
