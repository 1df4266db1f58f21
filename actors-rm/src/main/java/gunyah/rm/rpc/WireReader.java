package gunyah.rm.rpc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads little-endian fields in order; running out of bytes is {@link RmError#MSG_INVALID}. */
public final class WireReader {
    private final ByteBuffer bytes;

    /** How a list section begins: entries that follow, and the spare halfword. */
    public record ListHead(int count, int spare) {
    }

    public WireReader(byte[] payload) {
        this(payload, 0);
    }

    /** Reads from byte {@code offset} on. */
    public WireReader(byte[] payload, int offset) {
        bytes = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        need(offset);
        bytes.position(offset);
    }

    public int u8() {
        need(1);
        return bytes.get() & 0xff;
    }

    public int u16() {
        need(2);
        return bytes.getShort() & 0xffff;
    }

    public int u32() {
        need(4);
        return bytes.getInt();
    }

    public long u64() {
        need(8);
        return bytes.getLong();
    }

    /** {@return the next {@code length} bytes} */
    public byte[] bytes(int length) {
        need(length);
        byte[] read = new byte[length];
        bytes.get(read);
        return read;
    }

    public WireReader skip(int length) {
        need(length);
        bytes.position(bytes.position() + length);
        return this;
    }

    /** Skips to the next multiple of four bytes from the start. */
    public WireReader align() {
        return skip(-bytes.position() & 3);
    }

    /**
     * Begins a list section. A payload that ends just before it has an empty one.
     *
     * @param limit     most entries; more is {@link RmError#NORESOURCE}
     * @param entrySize bytes of an entry; all entries must be there
     */
    public ListHead list(int limit, int entrySize) {
        if (!bytes.hasRemaining()) {
            return new ListHead(0, 0);
        }
        ListHead head = new ListHead(u16(), u16());
        if (head.count > limit) {
            throw new RmFault(RmError.NORESOURCE);
        }
        need(head.count * entrySize);
        return head;
    }

    public int remaining() {
        return bytes.remaining();
    }

    /** Says that nothing may follow. */
    public void end() {
        if (bytes.hasRemaining()) {
            throw new RmFault(RmError.MSG_INVALID);
        }
    }

    /** Checks that a payload has exactly this many bytes. {@return a reader at its start} */
    public static WireReader exactly(byte[] payload, int size) {
        if (payload.length != size) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new WireReader(payload);
    }

    /** Checks that a payload has at least this many bytes. {@return a reader at its start} */
    public static WireReader atLeast(byte[] payload, int size) {
        if (payload.length < size) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new WireReader(payload);
    }

    private void need(int length) {
        if (length < 0 || bytes.remaining() < length) {
            throw new RmFault(RmError.MSG_INVALID);
        }
    }
}
