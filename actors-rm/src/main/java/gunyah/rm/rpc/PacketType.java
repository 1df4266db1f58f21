package gunyah.rm.rpc;

/** What a packet begins or goes on with: bits 1:0 of header byte 1. */
public enum PacketType {
    CONTINUATION, REQUEST, REPLY, NOTIFICATION;

    private static final PacketType[] BY_CODE = values();

    static PacketType of(int headerByte) {
        return BY_CODE[headerByte & 3];
    }
}
