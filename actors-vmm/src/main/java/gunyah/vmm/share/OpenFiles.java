package gunyah.vmm.share;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the guest has open, by handle. A handle it made up is EBADF. */
final class OpenFiles {
    private static final Logger LOG = LoggerFactory.getLogger(OpenFiles.class);
    private static final int MOST = 1024;

    /** A folder's names as they were when it was opened. */
    record Listing(FolderNode folder, List<String> names) {
    }

    private final Map<Long, FileChannel> files = new HashMap<>();
    private final Map<Long, Listing> listings = new HashMap<>();
    private long next = 1;

    void checkRoom() throws FsError {
        if (files.size() + listings.size() >= MOST) {
            throw new FsError(FsError.ENFILE);
        }
    }

    long add(FileChannel file) {
        files.put(next, file);
        return next++;
    }

    long add(Listing listing) {
        listings.put(next, listing);
        return next++;
    }

    FileChannel file(long handle) throws FsError {
        FileChannel file = files.get(handle);
        if (file == null) {
            throw new FsError(FsError.EBADF);
        }
        return file;
    }

    Listing listing(long handle) throws FsError {
        Listing listing = listings.get(handle);
        if (listing == null) {
            throw new FsError(FsError.EBADF);
        }
        return listing;
    }

    void release(long handle) {
        listings.remove(handle);
        FileChannel file = files.remove(handle);
        if (file != null) {
            close(file);
        }
    }

    private static void close(FileChannel file) {
        try {
            file.close();
        } catch (IOException e) {
            LOG.warn("a shared file: {}", e.getMessage());
        }
    }

    void releaseAll() {
        files.values().forEach(OpenFiles::close);
        files.clear();
        listings.clear();
    }
}
