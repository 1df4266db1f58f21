package gunyah.vmm.net;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** Datagrams between a port of the guest and one other end. Owned by the network's thread. */
final class UdpFlow {
    static final int MAX_PER_TURN = 64;
    static final int LARGEST = Frame.MTU - Ip4.HEADER - Ip4.UDP_HEADER;

    private final UserNet net;
    private final TcpFlow.Key key;
    private final DatagramChannel channel;
    /** Whose channel it is, when that leads to others, too, and where it leads then; else null. */
    private final UdpPort port;
    private final SocketAddress sender;
    private final ByteBuffer buffer;
    private long usedNs;

    private UdpFlow(UserNet net, TcpFlow.Key key, DatagramChannel channel, UdpPort port, SocketAddress sender) {
        this.net = net;
        this.key = key;
        this.channel = channel;
        this.port = port;
        this.sender = sender;
        this.buffer = port == null ? ByteBuffer.allocate(LARGEST + 1) : null;
        this.usedNs = net.nowNs();
    }

    /** To where the guest sent. @param channel connected, not blocking, and the flow's own */
    static UdpFlow fromGuest(UserNet net, TcpFlow.Key key, DatagramChannel channel) {
        return new UdpFlow(net, key, channel, null, null);
    }

    /** Back to who sent to a forwarded port. */
    static UdpFlow toGuest(UserNet net, TcpFlow.Key key, UdpPort port, SocketAddress sender) {
        return new UdpFlow(net, key, port.channel(), port, sender);
    }

    TcpFlow.Key key() {
        return key;
    }

    long usedNs() {
        return usedNs;
    }

    /** Sends on what the guest sent; what the socket does not take now is lost. */
    void send(byte[] bytes, int from, int length) {
        usedNs = net.nowNs();
        try {
            if (port == null) {
                channel.write(ByteBuffer.wrap(bytes, from, length));
            } else {
                channel.send(ByteBuffer.wrap(bytes, from, length), sender);
            }
        } catch (IOException e) {
            // nobody listens there, or the network is down: the guest hears nothing, as with any lost datagram
        }
    }

    /** Hands the guest what has come. */
    void ready() {
        for (int i = 0; i < MAX_PER_TURN; i++) {
            buffer.clear();
            try {
                if (channel.read(buffer) <= 0 && buffer.position() == 0) {
                    return;
                }
            } catch (IOException e) {
                return;
            }
            deliver(buffer);
        }
    }

    /** Hands the guest a datagram, unless it is too long for a frame. */
    void deliver(ByteBuffer datagram) {
        usedNs = net.nowNs();
        if (datagram.position() <= LARGEST) {
            net.deliver(Ip4.udp(net.guestMac(), UserAddresses.GATEWAY_MAC, key.peer(), key.peerPort(), key.guest(),
                    key.guestPort(), datagram.array(), datagram.position()));
        }
    }

    /** Lets go of its channel. */
    void close() {
        if (port == null) {
            net.closeQuietly(channel);
        } else {
            port.forget(sender);
        }
    }
}
