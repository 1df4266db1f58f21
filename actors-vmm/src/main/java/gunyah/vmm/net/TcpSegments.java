package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;
import java.util.ArrayList;
import java.util.List;

/**
 * Large frames, which stand for several TCP segments (virtio 1.2, 5.1.6: VIRTIO_NET_HDR_GSO_TCPV4 and TCPV6): what makes
 * one legal, and cutting it up for a receiver that takes none. Stateless.
 */
final class TcpSegments {
    /** The least payload of a segment: what TCP's least segment of 48 bytes leaves beside all options. */
    private static final int LEAST = 8;
    private static final int ETHERTYPE_VLAN = 0x8100;
    private static final int VLAN_TAG = 4;
    private static final int CHECKSUM_FIELD = 16;
    /** Flag of the first segment only: congestion window reduced. */
    private static final int CWR = 0x80;

    private TcpSegments() {
    }

    private static int ip(byte[] bytes) {
        return Bits.be16(bytes, 12) == ETHERTYPE_VLAN ? Ip4.IP + VLAN_TAG : Ip4.IP;
    }

    private static int headers(byte[] bytes, int tcp) {
        return tcp + ((bytes[tcp + 12] & 0xf0) >> 2);
    }

    /** {@return 4 or 6 for a frame that carries such a packet, else 0} */
    static int version(Frame frame) {
        return switch (Bits.be16(frame.bytes(), ip(frame.bytes()) - 2)) {
            case Ip4.ETHERTYPE -> 4;
            case Ip6.ETHERTYPE -> 6;
            default -> 0;
        };
    }

    /** {@return whether the frame is a TCP packet with payload whose checksum and segments are where it says} */
    static boolean isLegal(Frame frame) {
        byte[] bytes = frame.bytes();
        int tcp = frame.checksumStart();
        int ip = ip(bytes);
        return frame.segmentSize() >= LEAST && frame.checksumField() == CHECKSUM_FIELD
                && tcp >= ip + Ip4.HEADER && tcp + Ip4.TCP_HEADER <= frame.length()
                && bytes[ip] >>> 4 == version(frame) && tcp == transport(frame, ip)
                && headers(bytes, tcp) >= tcp + Ip4.TCP_HEADER && headers(bytes, tcp) < frame.length();
    }

    /** {@return where the TCP header is; -1 when there is none} */
    private static int transport(Frame frame, int ip) {
        byte[] bytes = frame.bytes();
        return switch (version(frame)) {
            case 4 -> bytes[ip + 9] == Ip4.TCP ? ip + (bytes[ip] & 0xf) * 4 : -1;
            case 6 -> Ip6.tcp(bytes, ip, frame.length());
            default -> -1;
        };
    }

    /** {@return the segments of a legal large frame, in order, their checksums left to do as its is} */
    static List<Frame> of(Frame frame) {
        byte[] bytes = frame.bytes();
        int ip = ip(bytes);
        int tcp = frame.checksumStart();
        int headers = headers(bytes, tcp);
        List<Frame> segments = new ArrayList<>();
        for (int at = headers; at < frame.length(); at += frame.segmentSize()) {
            int payload = Math.min(frame.segmentSize(), frame.length() - at);
            byte[] segment = new byte[headers + payload];
            System.arraycopy(bytes, 0, segment, 0, headers);
            System.arraycopy(bytes, at, segment, headers, payload);
            if (version(frame) == 4) {
                Bits.be16(segment, ip + 2, segment.length - ip);
                Bits.be16(segment, ip + 4, Bits.be16(bytes, ip + 4) + segments.size());
                Bits.be16(segment, ip + 10, 0);
                Bits.be16(segment, ip + 10, InternetChecksum.finish(InternetChecksum.add(0, segment, ip, tcp - ip)));
            } else {
                Bits.be16(segment, ip + 4, segment.length - ip - Ip6.HEADER);
            }
            Bits.be32(segment, tcp + 4, Bits.be32(bytes, tcp + 4) + at - headers);
            int notLast = at + payload < frame.length() ? TcpFlow.FIN | TcpFlow.PSH : 0;
            int notFirst = at > headers ? CWR : 0;
            segment[tcp + 13] &= (byte) ~(notLast | notFirst);
            Bits.be16(segment, tcp + CHECKSUM_FIELD,
                    InternetChecksum.pseudoHeader(segment, ip, Ip4.TCP, segment.length - tcp));
            segments.add(new Frame(segment, segment.length, tcp, CHECKSUM_FIELD, 0));
        }
        return segments;
    }
}
