package gunyah.vmm.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;

/** A file in memory whose operations can be made to fail. Positions are given; a file is at most 8 MiB. */
final class MemoryChannel extends FileChannel {
    static final int LIMIT = 8 << 20;

    /** Which operations fail. */
    interface Faults {
        Faults NONE = operation -> null;

        /** {@return why the operation of that number, the first is 0, fails; null when it does not} */
        String of(int operation);
    }

    private byte[] bytes;
    private int size;
    private int operations;
    private Faults faults = Faults.NONE;

    MemoryChannel(byte[] content) {
        bytes = content.clone();
        size = content.length;
    }

    /** From now on these fail; counting starts again. */
    void fail(Faults chosen) {
        faults = chosen;
        operations = 0;
    }

    /** {@return operations since faults were chosen} */
    int operations() {
        return operations;
    }

    byte[] content() {
        return Arrays.copyOf(bytes, size);
    }

    private void operation() throws IOException {
        String fault = faults.of(operations++);
        if (fault != null) {
            throw new IOException(fault);
        }
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        operation();
        if (position >= size) {
            return -1;
        }
        int count = (int) Math.min(target.remaining(), size - position);
        target.put(bytes, (int) position, count);
        return count;
    }

    /** What does not fit leaves its first half behind, as a disk that becomes full does. */
    @Override
    public int write(ByteBuffer source, long position) throws IOException {
        int count = source.remaining();
        String fault = faults.of(operations++);
        if (fault == null && position + count > LIMIT) {
            fault = "No space left on device";
        }
        int taken = fault == null ? count : position + count > LIMIT ? 0 : count / 2;
        if (taken > 0) {
            if (position + taken > bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) Math.min(LIMIT, (position + taken) * 2));
            }
            source.get(bytes, (int) position, taken);
            size = Math.max(size, (int) position + taken);
        }
        if (fault != null) {
            throw new IOException(fault);
        }
        return taken;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public FileChannel truncate(long length) {
        if (length < size) {
            Arrays.fill(bytes, (int) length, size, (byte) 0);
            size = (int) length;
        }
        return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
        operation();
    }

    @Override
    protected void implCloseChannel() {
        // its bytes stay
    }

    @Override
    public int read(ByteBuffer target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer source) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long position) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long length, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long length, boolean shared) {
        throw new UnsupportedOperationException();
    }
}
