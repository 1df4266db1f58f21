package gunyah.vmm.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** Datagrams between a port of the guest and one other end. Owned by the network's thread. */
final class UdpFlow {
    private static final int MAX_PER_TURN = 64;
    private static final int LARGEST = Frame.MTU - Ip4.HEADER - Ip4.UDP_HEADER;

    private final UserNet net;
    private final TcpFlow.Key key;
    private final DatagramChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(LARGEST + 1);
    private long usedNs;

    /** @param channel connected, not blocking */
    UdpFlow(UserNet net, TcpFlow.Key key, DatagramChannel channel) {
        this.net = net;
        this.key = key;
        this.channel = channel;
        this.usedNs = net.nowNs();
    }

    TcpFlow.Key key() {
        return key;
    }

    DatagramChannel channel() {
        return channel;
    }

    long usedNs() {
        return usedNs;
    }

    /** Sends on what the guest sent; what the socket does not take now is lost. */
    void send(byte[] bytes, int from, int length) {
        usedNs = net.nowNs();
        try {
            channel.write(ByteBuffer.wrap(bytes, from, length));
        } catch (IOException e) {
            // nobody listens there, or the network is down: the guest hears nothing, as with any lost datagram
        }
    }

    /** Hands the guest what has come. */
    void ready() {
        usedNs = net.nowNs();
        for (int i = 0; i < MAX_PER_TURN; i++) {
            buffer.clear();
            try {
                if (channel.read(buffer) <= 0 && buffer.position() == 0) {
                    return;
                }
            } catch (IOException e) {
                return;
            }
            if (buffer.position() <= LARGEST) {
                net.deliver(Ip4.udp(net.guestMac(), UserAddresses.GATEWAY_MAC, key.peer(), key.peerPort(), key.guest(),
                        key.guestPort(), buffer.array(), buffer.position()));
            }
        }
    }
}
