package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;

/** IPv4 packets in Ethernet frames: offsets, checks of what comes, and what goes to the guest. */
final class Ip4 {
    static final int ETHERTYPE = 0x0800;
    static final int ETHERTYPE_ARP = 0x0806;
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    /** Where the IP header starts, and its length in what we make. */
    static final int IP = Frame.HEADER;
    static final int HEADER = 20;
    static final int TRANSPORT = IP + HEADER;
    static final int UDP_HEADER = 8;
    static final int TCP_HEADER = 20;

    private Ip4() {
    }

    /**
     * Checks a packet from the guest: version, lengths, no fragment.
     *
     * @return where its transport header starts; -1 when it is none we take
     */
    static int transport(byte[] bytes, int length) {
        if (length < TRANSPORT || (bytes[IP] & 0xf0) != 0x40) {
            return -1;
        }
        int start = IP + (bytes[IP] & 0xf) * 4;
        int total = Bits.be16(bytes, IP + 2);
        boolean fragment = (Bits.be16(bytes, IP + 6) & 0x3fff) != 0;
        return start < TRANSPORT || IP + total > length || IP + total < start || fragment ? -1 : start;
    }

    /** {@return where the packet ends in its frame, padding excluded} */
    static int end(byte[] bytes) {
        return IP + Bits.be16(bytes, IP + 2);
    }

    static int protocol(byte[] bytes) {
        return bytes[IP + 9];
    }

    static int source(byte[] bytes) {
        return Bits.be32(bytes, IP + 12);
    }

    static int destination(byte[] bytes) {
        return Bits.be32(bytes, IP + 16);
    }

    /** Writes Ethernet and IP header for {@code payload} bytes behind them. */
    static void header(byte[] frame, long toMac, long fromMac, int protocol, int from, int to, int payload) {
        ethernet(frame, toMac, fromMac, ETHERTYPE);
        frame[IP] = 0x45;
        frame[IP + 1] = 0;
        Bits.be16(frame, IP + 2, HEADER + payload);
        Bits.be16(frame, IP + 4, 0);
        Bits.be16(frame, IP + 6, 0x4000);
        frame[IP + 8] = 64;
        frame[IP + 9] = (byte) protocol;
        Bits.be16(frame, IP + 10, 0);
        Bits.be32(frame, IP + 12, from);
        Bits.be32(frame, IP + 16, to);
        Bits.be16(frame, IP + 10, InternetChecksum.finish(InternetChecksum.add(0, frame, IP, HEADER)));
    }

    static void ethernet(byte[] frame, long toMac, long fromMac, int type) {
        mac(frame, 0, toMac);
        mac(frame, 6, fromMac);
        Bits.be16(frame, 12, type);
    }

    static void mac(byte[] bytes, int at, long mac) {
        Bits.be16(bytes, at, (int) (mac >> 32));
        Bits.be32(bytes, at + 2, (int) mac);
    }

    static long mac(byte[] bytes, int at) {
        return (long) Bits.be16(bytes, at) << 32 | Bits.be32(bytes, at + 2) & 0xffff_ffffL;
    }

    /** Makes a UDP packet. */
    static Frame udp(long toMac, long fromMac, int from, int fromPort, int to, int toPort, byte[] data, int length) {
        byte[] frame = new byte[TRANSPORT + UDP_HEADER + length];
        header(frame, toMac, fromMac, UDP, from, to, UDP_HEADER + length);
        Bits.be16(frame, TRANSPORT, fromPort);
        Bits.be16(frame, TRANSPORT + 2, toPort);
        Bits.be16(frame, TRANSPORT + 4, UDP_HEADER + length);
        System.arraycopy(data, 0, frame, TRANSPORT + UDP_HEADER, length);
        long sum = InternetChecksum.pseudoHeader(frame, IP, UDP, UDP_HEADER + length);
        int checksum = InternetChecksum.finish(InternetChecksum.add(sum, frame, TRANSPORT, UDP_HEADER + length));
        Bits.be16(frame, TRANSPORT + 6, checksum == 0 ? 0xffff : checksum);
        return Frame.of(frame);
    }
}
