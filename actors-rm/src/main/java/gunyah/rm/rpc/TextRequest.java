package gunyah.rm.rpc;

import java.util.Arrays;

/**
 * Request of a text: LOOKUP_NAME, LOOKUP_URI, SET_CRASH_MSG. On the wire its length, then its bytes, padded with zeros
 * to a multiple of four.
 *
 * @param text bytes without a terminator
 */
public record TextRequest(byte[] text) implements Payload {
    public static TextRequest decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 4);
        int length = reader.u16();
        byte[] text = reader.skip(2).bytes(length);
        byte[] padding = reader.bytes(-length & 3);
        reader.end();
        if (!Arrays.equals(padding, new byte[padding.length])) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new TextRequest(text);
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(text.length).u16(0).bytes(text).align().toBytes();
    }
}
