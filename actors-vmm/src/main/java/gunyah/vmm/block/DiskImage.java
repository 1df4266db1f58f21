package gunyah.vmm.block;

import java.io.IOException;

/**
 * The bytes of a disk. Ranges lie inside {@link #size} and are whole sectors of 512 bytes. Not thread safe; may block.
 * An {@link IOException} is a fault of this disk, reported to the guest.
 */
public interface DiskImage extends AutoCloseable {
    int SECTOR = 512;

    /** {@return bytes, whole sectors} */
    long size();

    void read(long position, byte[] target, int from, int length) throws IOException;

    void write(long position, byte[] source, int from, int length) throws IOException;

    /** What the range holds does not matter any more; it reads as zeros or as before. */
    void discard(long position, long length) throws IOException;

    /** The range reads as zeros. @param mayFree whether it need not keep its place in the file */
    void zero(long position, long length, boolean mayFree) throws IOException;

    /** Everything written before survives the end of this computer's power. */
    void flush() throws IOException;

    @Override
    void close() throws IOException;
}
