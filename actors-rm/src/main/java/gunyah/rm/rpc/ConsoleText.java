package gunyah.rm.rpc;

/**
 * CONSOLE_WRITE (to which VM's console) and the notification CONSOLE_CHARS (from which VM, 0 = its owner wrote).
 *
 * @param vmid as said
 * @param text raw bytes
 */
public record ConsoleText(int vmid, byte[] text) implements Payload {
    public static ConsoleText decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 4);
        int vmid = reader.u16();
        int length = reader.u16();
        if (length != reader.remaining()) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return new ConsoleText(vmid, reader.bytes(length));
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(text.length).bytes(text).toBytes();
    }
}
