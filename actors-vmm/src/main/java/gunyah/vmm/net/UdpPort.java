package gunyah.vmm.net;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.HashMap;
import java.util.Map;

/**
 * A port of this computer whose datagrams go to a port of the guest; the guest's answers go back to who sent, each of
 * whom is a port of the gateway in its eyes. Owned by the network's thread.
 */
final class UdpPort {
    private final UserNet net;
    private final DatagramChannel channel;
    private final int guestPort;
    private final Map<SocketAddress, UdpFlow> senders = new HashMap<>();
    private final ByteBuffer buffer = ByteBuffer.allocate(UdpFlow.LARGEST + 1);

    /** @param channel bound, not blocking */
    UdpPort(UserNet net, DatagramChannel channel, int guestPort) {
        this.net = net;
        this.channel = channel;
        this.guestPort = guestPort;
    }

    DatagramChannel channel() {
        return channel;
    }

    /** Hands the guest what has come. */
    void ready() {
        for (int i = 0; i < UdpFlow.MAX_PER_TURN; i++) {
            buffer.clear();
            try {
                SocketAddress sender = channel.receive(buffer);
                if (sender == null) {
                    return;
                }
                UdpFlow flow = senders.get(sender);
                if (flow == null) {
                    flow = net.openUdp(guestPort, this, sender);
                    senders.put(sender, flow);
                }
                flow.deliver(buffer);
            } catch (IOException e) {
                // somebody did not take an answer: theirs is lost, and no other's
                return;
            }
        }
    }

    void forget(SocketAddress sender) {
        senders.remove(sender);
    }
}
