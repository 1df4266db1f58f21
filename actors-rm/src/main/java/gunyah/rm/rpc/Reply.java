package gunyah.rm.rpc;

import java.util.Optional;

/**
 * Payload of every reply: the error word and what follows.
 *
 * @param code error word; {@link RmError#of} names it
 * @param body bytes after it
 */
public record Reply(int code, byte[] body) implements Payload {
    private static final byte[] NOTHING = {};

    /** The standard reply: only the error word. */
    public static Reply of(RmError error) {
        return new Reply(error.code(), NOTHING);
    }

    /** Success with a body. */
    public static Reply of(byte[] body) {
        return new Reply(RmError.OK.code(), body);
    }

    /** Success with one 32-bit word. */
    public static Reply ofWord(int word) {
        return of(new WireWriter().u32(word).toBytes());
    }

    public Optional<RmError> error() {
        return RmError.of(code);
    }

    public static Reply decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 4);
        int code = reader.u32();
        return new Reply(code, reader.bytes(reader.remaining()));
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u32(code).bytes(body).toBytes();
    }
}
