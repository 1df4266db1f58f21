package gunyah.vmm.share;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** A request of the guest that fails, with Linux's number for it. Without stack trace: it is an answer. */
final class FsError extends Exception {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EIO = 5;
    static final int EBADF = 9;
    static final int EACCES = 13;
    static final int EEXIST = 17;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int ENFILE = 23;
    static final int EROFS = 30;
    static final int ENOSYS = 38;
    static final int ENOTEMPTY = 39;
    static final int ELOOP = 40;

    private static final long serialVersionUID = 1L;
    private final int number;

    FsError(int number) {
        super("errno " + number, null, false, false);
        this.number = number;
    }

    int number() {
        return number;
    }

    /** {@return what an error of this computer's file system is for the guest} */
    static int of(IOException e) {
        return switch (e) {
            case NoSuchFileException ignored -> ENOENT;
            case FileAlreadyExistsException ignored -> EEXIST;
            case DirectoryNotEmptyException ignored -> ENOTEMPTY;
            case NotDirectoryException ignored -> ENOTDIR;
            case AccessDeniedException ignored -> EACCES;
            case FileSystemLoopException ignored -> ELOOP;
            default -> EIO;
        };
    }
}
