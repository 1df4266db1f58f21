package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;

/** IPv6 packets (RFC 8200), which a switch carries: as much of them as large frames and queues need. */
final class Ip6 {
    static final int ETHERTYPE = 0x86dd;
    static final int HEADER = 40;
    private static final int NEXT_HEADER = 6;
    private static final int HOP_BY_HOP = 0;
    private static final int DESTINATION = 60;
    private static final int OPTIONS_UNIT = 8;

    private Ip6() {
    }

    /** {@return where the TCP header starts, behind options for each hop or the receiver only; -1 when there is none} */
    static int tcp(byte[] bytes, int ip, int length) {
        int at = ip + HEADER;
        if (at > length) {
            return -1;
        }
        int next = bytes[ip + NEXT_HEADER];
        while ((next == HOP_BY_HOP || next == DESTINATION) && at + OPTIONS_UNIT <= length) {
            next = bytes[at];
            at += ((bytes[at + 1] & 0xff) + 1) * OPTIONS_UNIT;
        }
        return next == Ip4.TCP ? at : -1;
    }

    /** {@return a hash of addresses and of the ports of TCP and UDP, the same in both directions} */
    static int flow(byte[] bytes, int ip, int length) {
        if (length < ip + HEADER + 4) {
            return 0;
        }
        int next = bytes[ip + NEXT_HEADER];
        int hash = next;
        for (int at = ip + 8; at < ip + HEADER; at += 4) {
            hash ^= Bits.be32(bytes, at);
        }
        boolean hasPorts = next == Ip4.TCP || next == Ip4.UDP;
        return hasPorts ? hash ^ Bits.be16(bytes, ip + HEADER) ^ Bits.be16(bytes, ip + HEADER + 2) : hash;
    }
}
