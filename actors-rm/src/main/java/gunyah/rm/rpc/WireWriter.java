package gunyah.rm.rpc;

import java.io.ByteArrayOutputStream;

/** Writes little-endian fields in order. */
public final class WireWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public WireWriter u8(int value) {
        bytes.write(value);
        return this;
    }

    public WireWriter u16(int value) {
        return u8(value).u8(value >>> 8);
    }

    public WireWriter u32(int value) {
        return u16(value).u16(value >>> 16);
    }

    public WireWriter u64(long value) {
        return u32((int) value).u32((int) (value >>> 32));
    }

    public WireWriter bytes(byte[] value) {
        bytes.writeBytes(value);
        return this;
    }

    /** Writes zeros up to the next multiple of four bytes from the start. */
    public WireWriter align() {
        while ((bytes.size() & 3) != 0) {
            bytes.write(0);
        }
        return this;
    }

    public byte[] toBytes() {
        return bytes.toByteArray();
    }
}
