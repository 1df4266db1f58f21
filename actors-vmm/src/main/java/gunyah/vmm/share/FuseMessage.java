package gunyah.vmm.share;

import gunyah.vmm.virtio.Bits;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A FUSE request and the answer that is made for it (linux/fuse.h). */
final class FuseMessage {
    static final int IN_HEADER = 40;
    static final int OUT_HEADER = 16;

    private final byte[] in;
    private final int inLength;
    private final byte[] out;
    private int at = IN_HEADER;
    private int outLength;

    /** @param out room for the answer, its header included */
    FuseMessage(byte[] in, int inLength, byte[] out) {
        this.in = in;
        this.inLength = inLength;
        this.out = out;
        outLength = OUT_HEADER;
    }

    int opcode() {
        return Bits.le32(in, 4);
    }

    long node() {
        return Bits.le64(in, 16);
    }

    private int take(int bytes) throws FsError {
        if (inLength - at < bytes) {
            throw new FsError(FsError.EINVAL);
        }
        at += bytes;
        return at - bytes;
    }

    int u32() throws FsError {
        return Bits.le32(in, take(4));
    }

    long u64() throws FsError {
        return Bits.le64(in, take(8));
    }

    void skip(int bytes) throws FsError {
        take(bytes);
    }

    /** Takes data. {@return where it starts in {@link #bytes}} */
    int data(int length) throws FsError {
        if (length < 0) {
            throw new FsError(FsError.EINVAL);
        }
        return take(length);
    }

    byte[] bytes() {
        return in;
    }

    /** Takes one name that ends in a zero byte. @throws FsError EINVAL unless it is a single path component */
    String name() throws FsError {
        int end = at;
        while (end < inLength && in[end] != 0) {
            end++;
        }
        String name = new String(in, at, end - at, StandardCharsets.UTF_8);
        take(end - at + 1);
        if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('/') >= 0) {
            throw new FsError(FsError.EINVAL);
        }
        return name;
    }

    FuseMessage put32(int value) {
        Bits.le32(out, room(4), value);
        return this;
    }

    FuseMessage put64(long value) {
        Bits.le64(out, room(8), value);
        return this;
    }

    FuseMessage zeros(int count) {
        int from = room(count);
        Arrays.fill(out, from, from + count, (byte) 0);
        return this;
    }

    FuseMessage put(byte[] bytes) {
        System.arraycopy(bytes, 0, out, room(bytes.length), bytes.length);
        return this;
    }

    /** Makes room for {@code count} bytes of the answer. {@return where they start in {@link #answer}} */
    int room(int count) {
        outLength += count;
        return outLength - count;
    }

    void shorten(int count) {
        outLength -= count;
    }

    int free() {
        return out.length - outLength;
    }

    byte[] answer() {
        return out;
    }

    /** Writes the header. {@return bytes of the answer} */
    int finish(int error) {
        if (error != 0) {
            outLength = OUT_HEADER;
        }
        Bits.le32(out, 0, outLength);
        Bits.le32(out, 4, -error);
        Bits.le64(out, 8, Bits.le64(in, 8));
        return outLength;
    }
}
