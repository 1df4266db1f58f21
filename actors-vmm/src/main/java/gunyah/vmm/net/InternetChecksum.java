package gunyah.vmm.net;

/** The ones' complement sum of IP, TCP, UDP and ICMP (RFC 1071). */
final class InternetChecksum {
    private InternetChecksum() {
    }

    /** {@return {@code sum} with {@code length} bytes added as big-endian halfwords, an odd last one padded} */
    static long add(long sum, byte[] bytes, int from, int length) {
        long total = sum;
        int end = from + (length & ~1);
        for (int at = from; at < end; at += 2) {
            total += (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
        }
        return (length & 1) == 0 ? total : total + ((bytes[end] & 0xff) << 8);
    }

    private static int fold(long sum) {
        long folded = sum;
        while (folded >>> 16 != 0) {
            folded = (folded & 0xffff) + (folded >>> 16);
        }
        return (int) folded;
    }

    /** {@return the checksum field's value} */
    static int finish(long sum) {
        return ~fold(sum) & 0xffff;
    }

    /** {@return the sum of the pseudo header of a TCP or UDP packet over IPv4 or IPv6, not complemented} */
    static int pseudoHeader(byte[] packet, int ip, int protocol, int length) {
        boolean six = (packet[ip] & 0xf0) == 0x60;
        return fold(add(protocol + length, packet, ip + (six ? 8 : 12), six ? 32 : 8));
    }
}
