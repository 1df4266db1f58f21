package gunyah.vmm.block;

import gunyah.config.BadInput;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that is the disk, byte for byte. A size that is not whole sectors is rounded down. */
final class RawImage implements DiskImage {
    private static final int ZEROS = 1 << 16;

    private final FileChannel channel;
    private final FileHoles holes;
    private final long size;

    RawImage(FileChannel channel, FileHoles holes, long size) {
        this.channel = channel;
        this.holes = holes;
        this.size = size;
    }

    /** Opens an image. @throws BadInput when the file cannot be one */
    static RawImage open(Path file, boolean readOnly) {
        FileHoles holes = holes(file, readOnly);
        FileChannel channel = channel(file, holes, readOnly);
        try {
            long size = channel.size() / SECTOR * SECTOR;
            if (size == 0) {
                throw new BadInput("disk %s has no whole sector of %d bytes".formatted(file, SECTOR));
            }
            return new RawImage(channel, holes, size);
        } catch (IOException | BadInput e) {
            closeQuietly(channel);
            holes.close();
            throw e instanceof BadInput bad ? bad
                    : new BadInput("disk %s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** {@return what frees space of a file that will be written} @throws BadInput when there is no such file */
    static FileHoles holes(Path file, boolean readOnly) {
        if (!Files.isRegularFile(file)) {
            throw new BadInput(Files.exists(file) ? "disk %s is not a regular file".formatted(file)
                    : "disk %s does not exist".formatted(file));
        }
        return readOnly ? FileHoles.NONE : FileHoles.open(file);
    }

    /**
     * Opens a file, to write to it only if nobody else does.
     *
     * @param holes of the file, closed when this fails
     * @throws BadInput when that is not possible
     */
    static FileChannel channel(Path file, FileHoles holes, boolean readOnly) {
        FileChannel channel = null;
        try {
            channel = readOnly ? FileChannel.open(file, StandardOpenOption.READ)
                    : FileChannel.open(holes.path(file), StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (readOnly || (holes == FileHoles.NONE ? channel.tryLock() != null : holes.lock())) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // another disk of this program has it
        } catch (IOException e) {
            if (channel != null) {
                closeQuietly(channel);
            }
            holes.close();
            throw new BadInput("disk %s cannot be opened: %s".formatted(file, e.getMessage()), e);
        }
        closeQuietly(channel);
        holes.close();
        throw new BadInput(("disk %s is given twice, or in use by another program: "
                + "give each VM its own, or all of them ',ro'").formatted(file));
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // it was only looked at
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, byte[] target, int from, int length) throws IOException {
        readFully(channel, position, target, from, length);
    }

    /** Reads from a file; what a sparse or short end leaves out is an error. */
    static void readFully(FileChannel channel, long position, byte[] target, int from, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(target, from, length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position() - from) < 0) {
                throw new EOFException("the file ends at %d".formatted(channel.size()));
            }
        }
    }

    /** Reads a table whose length the file tells, once it is clear that the file has as much. */
    static byte[] readTable(FileChannel channel, long position, int length) throws IOException {
        if (length > channel.size() - position) {
            throw new EOFException("the file ends at %d".formatted(channel.size()));
        }
        byte[] table = new byte[length];
        readFully(channel, position, table, 0, length);
        return table;
    }

    @Override
    public void write(long position, byte[] source, int from, int length) throws IOException {
        writeFully(channel, position, source, from, length);
    }

    static void writeFully(FileChannel channel, long position, byte[] source, int from, int length)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(source, from, length);
        while (buffer.hasRemaining()) {
            channel.write(buffer, position + buffer.position() - from);
        }
    }

    /** Where the file system has no holes nothing happens, which is allowed. */
    @Override
    public void discard(long position, long length) throws IOException {
        holes.free(position, length);
    }

    @Override
    public void zero(long position, long length, boolean mayFree) throws IOException {
        if (mayFree && holes.free(position, length) || holes.zero(position, length)) {
            return;
        }
        byte[] zeros = new byte[(int) Math.min(length, ZEROS)];
        for (long done = 0; done < length; done += zeros.length) {
            write(position + done, zeros, 0, (int) Math.min(zeros.length, length - done));
        }
    }

    @Override
    public void flush() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            holes.close();
        }
    }
}
