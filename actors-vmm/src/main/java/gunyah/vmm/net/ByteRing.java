package gunyah.vmm.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** Bytes in order, up to a capacity. Not thread safe. */
public final class ByteRing {
    private final byte[] bytes;
    private int start;
    private int size;

    public ByteRing(int capacity) {
        bytes = new byte[capacity];
    }

    public int size() {
        return size;
    }

    public int free() {
        return bytes.length - size;
    }

    /** Adds what there is room for. {@return how many bytes} */
    public int put(byte[] source, int from, int length) {
        int count = Math.min(length, free());
        int end = (start + size) % bytes.length;
        int piece = Math.min(count, bytes.length - end);
        System.arraycopy(source, from, bytes, end, piece);
        System.arraycopy(source, from + piece, bytes, 0, count - piece);
        size += count;
        return count;
    }

    /** Copies bytes from {@code offset} on, which stay. */
    public void copy(int offset, byte[] target, int to, int length) {
        int at = (start + offset) % bytes.length;
        int piece = Math.min(length, bytes.length - at);
        System.arraycopy(bytes, at, target, to, piece);
        System.arraycopy(bytes, 0, target, to + piece, length - piece);
    }

    public void drop(int count) {
        start = (start + count) % bytes.length;
        size -= count;
    }

    /** Adds what a channel has. {@return how many bytes came; -1 at its end} */
    public int readFrom(ReadableByteChannel channel) throws IOException {
        int total = 0;
        while (free() > 0) {
            int end = (start + size) % bytes.length;
            int room = Math.min(free(), bytes.length - end);
            int count = channel.read(ByteBuffer.wrap(bytes, end, room));
            if (count < 0) {
                return total == 0 ? -1 : total;
            }
            size += count;
            total += count;
            if (count < room) {
                break;
            }
        }
        return total;
    }

    /** Gives a channel what it takes. */
    public void writeTo(WritableByteChannel channel) throws IOException {
        while (size > 0) {
            int piece = Math.min(size, bytes.length - start);
            int count = channel.write(ByteBuffer.wrap(bytes, start, piece));
            drop(count);
            if (count < piece) {
                return;
            }
        }
    }
}
