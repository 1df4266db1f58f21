package gunyah.vmm.net;

import static gunyah.vmm.net.UserAddresses.DNS;
import static gunyah.vmm.net.UserAddresses.GATEWAY;
import static gunyah.vmm.net.UserAddresses.GATEWAY_MAC;
import static gunyah.vmm.net.UserAddresses.GUEST;
import static gunyah.vmm.net.UserAddresses.MASK;
import static gunyah.vmm.net.UserAddresses.NET;

import gunyah.vmm.virtio.Bits;
import java.util.Arrays;
import java.util.Optional;

/** What the gateway of a user network answers itself: ARP, DHCP (RFC 2131), ICMP echo (RFC 792). Stateless. */
final class UserServices {
    static final int DHCP_SERVER_PORT = 67;

    private static final int DHCP_CLIENT_PORT = 68;
    private static final int DHCP_OPTIONS = 240;
    private static final int DHCP_LENGTH = 300;
    private static final int DHCP_COOKIE = 0x63825363;
    private static final int DISCOVER = 1;
    private static final int OFFER = 2;
    private static final int REQUEST = 3;
    private static final int ACK = 5;
    private static final int NAK = 6;
    private static final int LEASE_SECONDS = 86400;
    private static final int ARP_LENGTH = 28;
    private static final long ARP_IPV4 = 0x0001_0800_0604_0000L;

    private UserServices() {
    }

    /** Answers who has an address; the guest's own nobody else has. */
    static Optional<Frame> arp(byte[] in, int length) {
        int at = Frame.HEADER;
        if (length < at + ARP_LENGTH || Bits.be64(in, at) >>> 16 != ARP_IPV4 >>> 16 || Bits.be16(in, at + 6) != 1) {
            return Optional.empty();
        }
        int asked = Bits.be32(in, at + 24);
        if (asked != GATEWAY && asked != DNS) {
            return Optional.empty();
        }
        byte[] out = new byte[at + ARP_LENGTH];
        long guest = Ip4.mac(in, at + 8);
        Ip4.ethernet(out, guest, GATEWAY_MAC, Ip4.ETHERTYPE_ARP);
        Bits.be64(out, at, ARP_IPV4 | 2);
        Ip4.mac(out, at + 8, GATEWAY_MAC);
        Bits.be32(out, at + 14, asked);
        Ip4.mac(out, at + 18, guest);
        Bits.be32(out, at + 24, Bits.be32(in, at + 14));
        return Optional.of(Frame.of(out));
    }

    /** Answers an echo request to the gateway or name server. */
    static Optional<Frame> icmp(byte[] in, int transport) {
        int end = Ip4.end(in);
        int to = Ip4.destination(in);
        if (end - transport < 8 || in[transport] != 8 || in[transport + 1] != 0 || to != GATEWAY && to != DNS
                || end - transport > Frame.MTU - Ip4.HEADER) {
            return Optional.empty();
        }
        byte[] out = new byte[Ip4.TRANSPORT + end - transport];
        Ip4.header(out, Ip4.mac(in, 6), GATEWAY_MAC, Ip4.ICMP, to, Ip4.source(in), end - transport);
        System.arraycopy(in, transport, out, Ip4.TRANSPORT, end - transport);
        out[Ip4.TRANSPORT] = 0;
        Bits.be16(out, Ip4.TRANSPORT + 2, 0);
        Bits.be16(out, Ip4.TRANSPORT + 2, InternetChecksum.finish(
                InternetChecksum.add(0, out, Ip4.TRANSPORT, end - transport)));
        return Optional.of(Frame.of(out));
    }

    /** Gives the guest its address. */
    static Optional<Frame> dhcp(byte[] in, int message, int end) {
        if (end - message < DHCP_OPTIONS || in[message] != 1 || Bits.be32(in, message + 236) != DHCP_COOKIE) {
            return Optional.empty();
        }
        int type = option(in, message + DHCP_OPTIONS, end, 53, 1);
        if (type != DISCOVER && type != REQUEST) {
            return Optional.empty();
        }
        int server = option(in, message + DHCP_OPTIONS, end, 54, 4);
        int wanted = option(in, message + DHCP_OPTIONS, end, 50, 4);
        if (server != 0 && server != GATEWAY) {
            return Optional.empty();
        }
        int given = wanted != 0 ? wanted : Bits.be32(in, message + 12);
        int answer = type == DISCOVER ? OFFER : given == GUEST ? ACK : NAK;
        byte[] out = new byte[DHCP_LENGTH];
        out[0] = 2;
        System.arraycopy(in, message + 1, out, 1, 2);
        System.arraycopy(in, message + 4, out, 4, 4);
        System.arraycopy(in, message + 28, out, 28, 16);
        if (answer != NAK) {
            Bits.be32(out, 16, GUEST);
            Bits.be32(out, 20, GATEWAY);
        }
        Bits.be32(out, 236, DHCP_COOKIE);
        int at = put(out, DHCP_OPTIONS, 53, 1, answer);
        at = put(out, at, 54, 4, GATEWAY);
        if (answer != NAK) {
            at = put(out, at, 1, 4, MASK);
            at = put(out, at, 3, 4, GATEWAY);
            at = put(out, at, 6, 4, DNS);
            at = put(out, at, 28, 4, NET | ~MASK);
            at = put(out, at, 51, 4, LEASE_SECONDS);
        }
        out[at] = (byte) 0xff;
        return Optional.of(Ip4.udp(UserAddresses.BROADCAST_MAC, GATEWAY_MAC, GATEWAY, DHCP_SERVER_PORT, -1,
                DHCP_CLIENT_PORT, out, out.length));
    }

    private static int put(byte[] out, int at, int code, int length, int value) {
        out[at] = (byte) code;
        out[at + 1] = (byte) length;
        if (length == 1) {
            out[at + 2] = (byte) value;
        } else {
            Bits.be32(out, at + 2, value);
        }
        return at + 2 + length;
    }

    /** {@return an option's value; 0 when it is absent, or of another length} */
    private static int option(byte[] in, int from, int end, int code, int length) {
        int at = from;
        while (at + 2 <= end && in[at] != (byte) 0xff) {
            if (in[at] == 0) {
                at++;
                continue;
            }
            int size = in[at + 1] & 0xff;
            if ((in[at] & 0xff) == code && size == length && at + 2 + size <= end) {
                return length == 1 ? in[at + 2] & 0xff : Bits.be32(Arrays.copyOfRange(in, at + 2, at + 6), 0);
            }
            at += 2 + size;
        }
        return 0;
    }
}
