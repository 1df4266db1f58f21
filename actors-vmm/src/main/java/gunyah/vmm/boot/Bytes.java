package gunyah.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A file's content with little-endian fields by offset. */
final class Bytes {
    private final byte[] array;
    private final ByteBuffer buffer;

    Bytes(byte[] array) {
        this.array = array;
        this.buffer = ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] array() {
        return array;
    }

    int length() {
        return array.length;
    }

    int u8(int at) {
        return array[at] & 0xff;
    }

    int u16(int at) {
        return buffer.getShort(at) & 0xffff;
    }

    int u32(int at) {
        return buffer.getInt(at);
    }

    long u64(int at) {
        return buffer.getLong(at);
    }

    boolean startsWith(int... magic) {
        if (array.length < magic.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if (u8(i) != magic[i]) {
                return false;
            }
        }
        return true;
    }

    /** {@return whether {@code [at, at + size)} is inside} Unsigned. */
    boolean contains(long at, long size) {
        return at >= 0 && size >= 0 && at <= array.length - size;
    }
}
