package gunyah.vmm.virtio;

/**
 * One buffer a driver made available: parts the device reads, then parts it writes (virtio 1.2, 2.7.4.2). Filled and
 * checked by {@link Virtqueue#pop}, then used up from the front of both. Owned by the device's loop, reused.
 */
public final class DescriptorChain {
    /** Parts a chain may have; more than that no driver we know makes. */
    static final int MAX_PARTS = 1024;

    private final GuestMemory memory;
    private final long[] address = new long[MAX_PARTS];
    private final int[] length = new int[MAX_PARTS];
    private final byte[] last = new byte[1];
    private int head;
    private int readParts;
    private int parts;
    private int readPart;
    private int readAt;
    private int writePart;
    private int writeAt;
    private long readable;
    private long writable;
    private long written;

    public DescriptorChain(GuestMemory memory) {
        this.memory = memory;
    }

    void begin(int headIndex) {
        head = headIndex;
        readParts = 0;
        parts = 0;
        readable = 0;
        writable = 0;
        written = 0;
        readPart = 0;
        readAt = 0;
        writeAt = 0;
    }

    /** Adds a part. {@return null, or what is wrong with it} */
    String add(long gpa, long bytes, boolean deviceWrites) {
        if (parts == MAX_PARTS) {
            return "a chain has more than %d parts".formatted(MAX_PARTS);
        }
        if (!deviceWrites && readParts != parts) {
            return "a readable part follows a writable one";
        }
        if (bytes > Integer.MAX_VALUE || !memory.contains(gpa, bytes)) {
            return "buffer 0x%x+0x%x is not in memory the device can reach".formatted(gpa, bytes);
        }
        address[parts] = gpa;
        length[parts] = (int) bytes;
        parts++;
        if (deviceWrites) {
            writable += bytes;
        } else {
            readParts = parts;
            readable += bytes;
        }
        return null;
    }

    void end() {
        writePart = readParts;
    }

    /** {@return what the used ring calls this buffer} */
    public int head() {
        return head;
    }

    /** {@return bytes of the readable parts not read yet} */
    public long readable() {
        return readable;
    }

    /** {@return bytes of the writable parts not written yet} */
    public long writable() {
        return writable;
    }

    /** {@return bytes written so far: what the used ring tells the driver} */
    public long written() {
        return written;
    }

    /** Reads on. {@return bytes copied, fewer than {@code count} only at the end} */
    public int read(byte[] target, int from, int count) {
        int done = 0;
        while (done < count && readPart < readParts) {
            int piece = Math.min(count - done, length[readPart] - readAt);
            if (piece > 0) {
                memory.read(address[readPart] + readAt, target, from + done, piece);
            }
            done += piece;
            readAt += piece;
            if (readAt == length[readPart]) {
                readPart++;
                readAt = 0;
            }
        }
        readable -= done;
        return done;
    }

    /** Writes on. {@return bytes copied, fewer than {@code count} only at the end} */
    public int write(byte[] source, int from, int count) {
        int done = 0;
        while (done < count && writePart < parts) {
            int piece = Math.min(count - done, length[writePart] - writeAt);
            if (piece > 0) {
                memory.write(address[writePart] + writeAt, source, from + done, piece);
            }
            done += piece;
            writeAt += piece;
            if (writeAt == length[writePart]) {
                writePart++;
                writeAt = 0;
            }
        }
        writable -= done;
        written += done;
        return done;
    }

    /** Writes over the first bytes of the writable parts, which were written before; writing goes on where it was. */
    public void rewrite(byte[] source, int count) {
        int done = 0;
        for (int part = readParts; done < count && part < parts; part++) {
            int piece = Math.min(count - done, length[part]);
            if (piece > 0) {
                memory.write(address[part], source, done, piece);
            }
            done += piece;
        }
    }

    /**
     * Writes the last byte of the writable parts, where some devices have their status, wherever writing is now.
     *
     * @return false when there is no writable part
     */
    public boolean writeLast(byte value) {
        for (int part = parts - 1; part >= readParts; part--) {
            if (length[part] > 0) {
                last[0] = value;
                memory.write(address[part] + length[part] - 1, last, 0, 1);
                written++;
                return true;
            }
        }
        return false;
    }
}
