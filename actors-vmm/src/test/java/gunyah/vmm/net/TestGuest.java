package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;

/** The TCP of a guest in a test: makes segments by hand, in the order of its sequence numbers. */
final class TestGuest {
    static final long MAC = 0x5254_0012_3456L;
    static final int TCP = Ip4.TRANSPORT;
    static final int DATA = TCP + Ip4.TCP_HEADER;

    private final Network net;
    private int sequence = 1000;

    TestGuest(Network net) {
        this.net = net;
    }

    /** {@return the sequence number of the next segment} */
    int sequence() {
        return sequence;
    }

    void send(int to, int toPort, int fromPort, int acknowledged, int flags, byte[] data) {
        byte[] frame = new byte[DATA + data.length];
        Ip4.header(frame, UserAddresses.GATEWAY_MAC, MAC, Ip4.TCP, UserAddresses.GUEST, to,
                Ip4.TCP_HEADER + data.length);
        Bits.be16(frame, TCP, fromPort);
        Bits.be16(frame, TCP + 2, toPort);
        Bits.be32(frame, TCP + 4, sequence);
        Bits.be32(frame, TCP + 8, acknowledged);
        frame[TCP + 12] = 0x50;
        frame[TCP + 13] = (byte) flags;
        Bits.be16(frame, TCP + 14, 0xffff);
        System.arraycopy(data, 0, frame, DATA, data.length);
        sequence += data.length + (flags & (TcpFlow.SYN | TcpFlow.FIN)) / ((flags & TcpFlow.SYN) != 0 ? 2 : 1);
        net.send(Frame.of(frame));
    }

    static boolean isTcp(Frame frame, int flags) {
        return Ip4.protocol(frame.bytes()) == Ip4.TCP && (frame.bytes()[TCP + 13] & flags) == flags;
    }

    static int sequenceOf(Frame frame) {
        return Bits.be32(frame.bytes(), TCP + 4);
    }

    static int acknowledgedBy(Frame frame) {
        return Bits.be32(frame.bytes(), TCP + 8);
    }
}
