package gunyah.vmm.net;

import static gunyah.vmm.net.TestGuest.DATA;
import static gunyah.vmm.net.TestGuest.TCP;
import static gunyah.vmm.net.TestGuest.acknowledgedBy;
import static gunyah.vmm.net.TestGuest.isTcp;
import static gunyah.vmm.net.TestGuest.sequenceOf;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.NetConfig;
import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What goes wrong with a server is what the guest's TCP is told, and the network goes on. */
class NetFaultsTest {
    private static final int PORT = 40000;

    private final TestCard card = new TestCard();
    private UserNet net;
    private TestGuest guest;
    private ServerSocket server;

    @BeforeEach
    void open() throws IOException {
        net = UserNet.open(new NetConfig.User(List.of()), new Random(1));
        net.plug(card);
        guest = new TestGuest(net);
        server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws IOException {
        net.close();
        server.close();
    }

    /** {@return what the guest acknowledges next} */
    private int connect(int port) {
        send(port, 0, TcpFlow.SYN, new byte[0]);
        int acknowledged = sequenceOf(card.await(f -> isTcp(f, TcpFlow.SYN | TcpFlow.ACK))) + 1;
        send(port, acknowledged, TcpFlow.ACK, new byte[0]);
        return acknowledged;
    }

    private void send(int port, int acknowledged, int flags, byte[] data) {
        guest.send(UserAddresses.GATEWAY, server.getLocalPort(), port, acknowledged, flags, data);
    }

    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Test
    void aServerThatResetsResetsTheGuestsConnectionAndNoOther() throws IOException {
        int acknowledged = connect(PORT);
        Socket first = server.accept();
        send(PORT, acknowledged, TcpFlow.ACK | TcpFlow.PSH, new byte[100]);
        first.setSoTimeout(60_000);
        assertThat(first.getInputStream().readNBytes(50)).hasSize(50);
        int other = connect(PORT + 1);
        try (Socket second = server.accept()) {
            reset(first);

            Frame end = card.await(f -> isTcp(f, TcpFlow.RST));
            assertThat(Bits.be16(end.bytes(), TCP + 2)).isEqualTo(PORT);
            assertThat(sequenceOf(end)).isEqualTo(acknowledged);
            second.getOutputStream().write(7);
            Frame data = card.await(f -> isTcp(f, TcpFlow.PSH));
            assertThat(Bits.be16(data.bytes(), TCP + 2)).isEqualTo(PORT + 1);
            assertThat(sequenceOf(data)).isEqualTo(other);
        }
    }

    @Test
    void aServerThatResetsInTheMiddleOfATransferDoesNotLookLikeItsEnd() throws IOException {
        connect(PORT);
        Socket socket = server.accept();
        socket.getOutputStream().write(new byte[300_000]);
        Frame data = card.await(f -> f.length() > DATA);
        assertThat(isTcp(data, TcpFlow.FIN)).isFalse();
        reset(socket);

        Frame end = card.await(f -> isTcp(f, TcpFlow.RST) || isTcp(f, TcpFlow.FIN));
        assertThat(isTcp(end, TcpFlow.FIN)).isFalse();
        // an answer to what the guest still sends
        send(PORT, sequenceOf(data), TcpFlow.ACK, new byte[10]);
        assertThat(card.await(f -> isTcp(f, TcpFlow.RST))).isNotNull();
    }

    @Test
    void aServerThatDoesNotReadClosesTheGuestsWindowUntilItDoes() throws IOException {
        int acknowledged = connect(PORT);
        try (Socket socket = server.accept()) {
            int begin = guest.sequence();
            Frame answer;
            int window;
            do {
                send(PORT, acknowledged, TcpFlow.ACK | TcpFlow.PSH, new byte[1400]);
                int sent = guest.sequence();
                answer = card.await(f -> isTcp(f, TcpFlow.ACK) && (acknowledgedBy(f) == sent || window(f) < 1400));
                window = window(answer);
                assertThat(sent - begin).as("bytes taken for a server that reads none").isLessThan(64 << 20);
            } while (window >= 1400);
            int taken = acknowledgedBy(answer) - begin;

            socket.setSoTimeout(60_000);
            InputStream in = socket.getInputStream();
            assertThat(in.readNBytes(taken)).hasSize(taken);
            assertThat(window(card.await(f -> window(f) >= 1400))).isPositive();
        }
    }

    private static int window(Frame frame) {
        return Bits.be16(frame.bytes(), TCP + 14);
    }

    @Test
    void aNetworkThatIsClosedEndsItsConnections() throws IOException {
        connect(PORT);
        try (Socket socket = server.accept()) {
            socket.setSoTimeout(60_000);
            net.close();

            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }
}
