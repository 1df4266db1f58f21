package gunyah.vmm.net;

import static gunyah.vmm.net.TestGuest.DATA;
import static gunyah.vmm.net.TestGuest.MAC;
import static gunyah.vmm.net.TestGuest.TCP;
import static gunyah.vmm.net.TestGuest.isTcp;
import static gunyah.vmm.net.TestGuest.sequenceOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.config.NetConfig;
import gunyah.config.NetConfig.Transport;
import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A user network between frames of a guest made by hand and real sockets of this computer. */
class UserNetTest {
    private static final int GUEST_PORT = 40000;

    private final TestCard card = new TestCard();
    private UserNet net;
    private TestGuest guest;

    @BeforeEach
    void open() {
        net = UserNet.open(new NetConfig.User(List.of(new NetConfig.Forward(Transport.TCP, "", 0, 80),
                new NetConfig.Forward(Transport.UDP, "", 0, 53))), new Random(1));
        net.plug(card);
        guest = new TestGuest(net);
    }

    @AfterEach
    void close() {
        net.close();
    }

    private void sendTcp(int to, int toPort, int fromPort, int acknowledged, int flags, byte[] data) {
        guest.send(to, toPort, fromPort, acknowledged, flags, data);
    }

    @Test
    void answersArpForTheGatewayOnly() {
        byte[] ask = new byte[60];
        Ip4.ethernet(ask, UserAddresses.BROADCAST_MAC, MAC, Ip4.ETHERTYPE_ARP);
        Bits.be64(ask, 14, 0x0001_0800_0604_0001L);
        Ip4.mac(ask, 22, MAC);
        Bits.be32(ask, 28, UserAddresses.GUEST);
        Bits.be32(ask, 38, UserAddresses.GUEST);
        net.send(Frame.of(ask.clone()));
        Bits.be32(ask, 38, UserAddresses.GATEWAY);
        net.send(Frame.of(ask));

        byte[] answer = card.await(f -> true).bytes();
        assertThat(Bits.be32(answer, 28)).isEqualTo(UserAddresses.GATEWAY);
        assertThat(Ip4.mac(answer, 22)).isEqualTo(UserAddresses.GATEWAY_MAC);
        assertThat(Ip4.mac(answer, 0)).isEqualTo(MAC);
    }

    @Test
    void leasesTheOneAddress() {
        byte[] message = new byte[260];
        message[0] = 1;
        Bits.be32(message, 4, 0xcafe);
        Bits.be32(message, 236, 0x63825363);
        message[240] = 53;
        message[241] = 1;
        message[242] = 1;
        message[243] = (byte) 0xff;
        net.send(Ip4.udp(UserAddresses.BROADCAST_MAC, MAC, 0, 68, -1, 67, message, message.length));

        byte[] offer = card.await(f -> true).bytes();
        int at = TCP + Ip4.UDP_HEADER;
        assertThat(Bits.be32(offer, at + 4)).isEqualTo(0xcafe);
        assertThat(Bits.be32(offer, at + 16)).isEqualTo(UserAddresses.GUEST);
        assertThat(offer[at + 242]).isEqualTo((byte) 2);
    }

    @Test
    void answersPingsOfTheGateway() {
        byte[] answer = ping(0x12345678);

        assertThat(answer[TCP]).isZero();
        assertThat(InternetChecksum.finish(InternetChecksum.add(0, answer, TCP, 12))).isZero();
    }

    private byte[] ping(int data) {
        sendPing(data);
        return card.await(f -> isAnswer(f, data)).bytes();
    }

    private static boolean isAnswer(Frame frame, int data) {
        return Ip4.protocol(frame.bytes()) == Ip4.ICMP && Bits.be32(frame.bytes(), TCP + 8) == data;
    }

    private void sendPing(int data) {
        byte[] ping = new byte[TCP + 12];
        Ip4.header(ping, UserAddresses.GATEWAY_MAC, MAC, Ip4.ICMP, UserAddresses.GUEST, UserAddresses.GATEWAY, 12);
        ping[TCP] = 8;
        Bits.be32(ping, TCP + 8, data);
        net.send(Frame.of(ping));
    }

    @Test
    void carriesDatagramsBothWays() throws IOException {
        try (DatagramSocket echo = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            byte[] data = "ping".getBytes(StandardCharsets.US_ASCII);
            net.send(Ip4.udp(UserAddresses.GATEWAY_MAC, MAC, UserAddresses.GUEST, GUEST_PORT, UserAddresses.GATEWAY,
                    echo.getLocalPort(), data, 4));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            echo.setSoTimeout(60_000);
            echo.receive(packet);
            assertThat(packet.getLength()).isEqualTo(4);
            echo.send(new DatagramPacket("pong!".getBytes(StandardCharsets.US_ASCII), 5, packet.getSocketAddress()));

            byte[] answer = card.await(f -> true).bytes();
            assertThat(Bits.be16(answer, TCP)).isEqualTo(echo.getLocalPort());
            assertThat(Bits.be16(answer, TCP + 2)).isEqualTo(GUEST_PORT);
            assertThat(new String(answer, TCP + 8, 5, StandardCharsets.US_ASCII)).isEqualTo("pong!");
            long sum = InternetChecksum.pseudoHeader(answer, Ip4.IP, Ip4.UDP, 13);
            assertThat(InternetChecksum.finish(InternetChecksum.add(sum, answer, TCP, 13))).isZero();
        }
    }

    @Test
    void carriesAConnectionOfTheGuestFromItsSynToItsEnd() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            int port = server.getLocalPort();
            sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, 0, TcpFlow.SYN, new byte[0]);
            Frame synAck = card.await(f -> isTcp(f, TcpFlow.SYN | TcpFlow.ACK));
            assertThat(Bits.be32(synAck.bytes(), TCP + 8)).isEqualTo(1001);
            int acknowledged = sequenceOf(synAck) + 1;
            sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, acknowledged, TcpFlow.ACK, "hello".getBytes());
            try (Socket socket = server.accept()) {
                socket.setSoTimeout(60_000);
                assertThat(socket.getInputStream().readNBytes(5)).isEqualTo("hello".getBytes());

                socket.getOutputStream().write("world".getBytes());
                Frame data = card.await(f -> isTcp(f, TcpFlow.PSH));
                assertThat(new String(data.bytes(), DATA, 5, StandardCharsets.US_ASCII)).isEqualTo("world");
                assertThat(Bits.be32(data.bytes(), TCP + 8)).isEqualTo(guest.sequence());
                acknowledged += 5;

                sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, acknowledged, TcpFlow.ACK | TcpFlow.FIN, new byte[0]);
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            }
            Frame fin = card.await(f -> isTcp(f, TcpFlow.FIN));
            assertThat(sequenceOf(fin)).isEqualTo(acknowledged);
        }
    }

    @Test
    void sendsAgainWhatTheGuestDidNotGet() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            int port = server.getLocalPort();
            sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, 0, TcpFlow.SYN, new byte[0]);
            Frame first = card.await(f -> isTcp(f, TcpFlow.SYN | TcpFlow.ACK));
            Frame again = card.await(f -> isTcp(f, TcpFlow.SYN | TcpFlow.ACK));
            assertThat(sequenceOf(again)).isEqualTo(sequenceOf(first));
            sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, sequenceOf(first) + 1, TcpFlow.ACK, new byte[0]);
            try (Socket socket = server.accept()) {
                socket.getOutputStream().write(7);
                Frame data = card.await(f -> isTcp(f, TcpFlow.PSH));
                Frame repeated = card.await(f -> isTcp(f, TcpFlow.PSH));
                assertThat(sequenceOf(repeated)).isEqualTo(sequenceOf(data));
            }
        }
    }

    @Test
    void refusesWhatNobodyListensTo() throws IOException {
        int port;
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }
        sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT, 0, TcpFlow.SYN, new byte[0]);
        Frame reset = card.await(f -> isTcp(f, TcpFlow.RST));
        assertThat(Bits.be32(reset.bytes(), TCP + 8)).isEqualTo(1001);

        sendTcp(0x7f000001, 80, GUEST_PORT + 1, 0, TcpFlow.SYN, new byte[0]);
        assertThat(Bits.be16(card.await(f -> isTcp(f, TcpFlow.RST)).bytes(), TCP + 2)).isEqualTo(GUEST_PORT + 1);
        sendTcp(UserAddresses.GATEWAY, port, GUEST_PORT + 2, 77, TcpFlow.ACK, new byte[3]);
        assertThat(sequenceOf(card.await(f -> isTcp(f, TcpFlow.RST)))).isEqualTo(77);
    }

    @Test
    void callsTheGuestForAForwardedPort() throws IOException {
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), net.forwardedPorts().getFirst())) {
            Frame syn = card.await(f -> isTcp(f, TcpFlow.SYN));
            assertThat(Bits.be16(syn.bytes(), TCP + 2)).isEqualTo(80);
            int peerPort = Bits.be16(syn.bytes(), TCP);
            sendTcp(UserAddresses.GATEWAY, peerPort, 80, sequenceOf(syn) + 1, TcpFlow.SYN | TcpFlow.ACK, new byte[0]);
            card.await(f -> isTcp(f, TcpFlow.ACK));
            sendTcp(UserAddresses.GATEWAY, peerPort, 80, sequenceOf(syn) + 1, TcpFlow.ACK, "served".getBytes());

            client.setSoTimeout(60_000);
            assertThat(client.getInputStream().readNBytes(6)).isEqualTo("served".getBytes());
        }
    }

    @Test
    void datagramsToAForwardedPortReachTheGuestAndEachSenderGetsItsAnswer() throws IOException {
        InetSocketAddress port = new InetSocketAddress(InetAddress.getLoopbackAddress(), net.forwardedPorts().get(1));
        try (DatagramSocket one = new DatagramSocket(); DatagramSocket two = new DatagramSocket()) {
            int first = asked(one, "one", port);
            int second = asked(two, "two", port);
            assertThat(second).isNotEqualTo(first);
            assertThat(asked(one, "again", port)).isEqualTo(first);

            answered(two, second, "for two");
            answered(one, first, "for one");
        }
    }

    /** Who has been silent for longest loses its port, and gets another when it sends again. */
    @Test
    void moreSendersThanThereIsRoomForAllReachTheGuest() throws IOException {
        InetSocketAddress port = new InetSocketAddress(InetAddress.getLoopbackAddress(), net.forwardedPorts().get(1));
        try (DatagramSocket silent = new DatagramSocket(); DatagramSocket busy = new DatagramSocket()) {
            int silentPort = asked(silent, "silent", port);
            answered(silent, silentPort, "answer");
            int busyPort = asked(busy, "busy", port);
            for (int round = 0; round < 300; round++) {
                try (DatagramSocket client = new DatagramSocket()) {
                    answered(client, asked(client, "number " + round, port), "answer " + round);
                }
                assertThat(asked(busy, "still busy", port)).as("round %d", round).isEqualTo(busyPort);
            }
            int newPort = asked(silent, "silent no more", port);
            assertThat(newPort).isNotEqualTo(silentPort);
            answered(silent, newPort, "answer again");
        }
    }

    @Test
    void theLargestDatagramReachesTheGuestAndALargerOneDoesNot() throws IOException {
        InetSocketAddress port = new InetSocketAddress(InetAddress.getLoopbackAddress(), net.forwardedPorts().get(1));
        try (DatagramSocket client = new DatagramSocket()) {
            byte[] most = new byte[Frame.MTU - Ip4.HEADER - Ip4.UDP_HEADER];
            client.send(new DatagramPacket(new byte[most.length + 1], most.length + 1, port));
            client.send(new DatagramPacket(most, most.length, port));

            Frame frame = card.await(f -> Ip4.protocol(f.bytes()) == Ip4.UDP);
            assertThat(frame.length()).isEqualTo(Frame.HEADER + Frame.MTU);
            assertThat(Bits.be16(frame.bytes(), TCP + 4)).isEqualTo(most.length + Ip4.UDP_HEADER);
        }
    }

    /** {@return the port of the gateway that the guest saw it come from} */
    private int asked(DatagramSocket client, String text, InetSocketAddress port) throws IOException {
        client.setSoTimeout(20_000);
        client.send(new DatagramPacket(text.getBytes(StandardCharsets.US_ASCII), text.length(), port));
        byte[] frame = card.await(f -> Ip4.protocol(f.bytes()) == Ip4.UDP).bytes();
        assertThat(Ip4.source(frame)).isEqualTo(UserAddresses.GATEWAY);
        assertThat(Bits.be16(frame, TCP + 2)).isEqualTo(53);
        assertThat(new String(frame, TCP + 8, text.length(), StandardCharsets.US_ASCII)).isEqualTo(text);
        return Bits.be16(frame, TCP);
    }

    private void answered(DatagramSocket client, int peerPort, String text) throws IOException {
        net.send(Ip4.udp(UserAddresses.GATEWAY_MAC, MAC, UserAddresses.GUEST, 53, UserAddresses.GATEWAY, peerPort,
                text.getBytes(StandardCharsets.US_ASCII), text.length()));
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        client.receive(packet);
        assertThat(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII)).isEqualTo(text);
    }

    @Test
    void aPortThatIsTakenIsTheUsersMistake() {
        NetConfig.User same = new NetConfig.User(
                List.of(new NetConfig.Forward(Transport.TCP, "", net.forwardedPorts().getFirst(), 22)));

        assertThatThrownBy(() -> UserNet.open(same, new Random(1))).isInstanceOf(BadInput.class)
                .hasMessageContaining("port");
    }

    @Test
    void framesOfAnyContentAreAnsweredOrDropped() {
        long seed = Long.getLong("gunyah.seed", 20261125);
        int mutants = Integer.getInteger("gunyah.mutants", 5_000);
        System.out.printf("frames: seed %d, %d mutants%n", seed, mutants);
        Random random = new Random(seed);
        byte[][] templates = {
            Ip4.udp(UserAddresses.GATEWAY_MAC, MAC, 0, 68, -1, 67, new byte[300], 300).bytes(),
            Ip4.udp(UserAddresses.GATEWAY_MAC, MAC, UserAddresses.GUEST, 9, 0x0a000263, 9, new byte[30], 30).bytes(),
            tcpTemplate(), new byte[60],
        };
        for (int i = 0; i < mutants; i++) {
            byte[] frame = templates[random.nextInt(templates.length)].clone();
            for (int flips = random.nextInt(8); flips >= 0; flips--) {
                frame[random.nextInt(frame.length)] = (byte) random.nextInt();
            }
            if ((Bits.be32(frame, 30) & 0xff000000) != 0x0a000000) {
                // a test sends nothing to the world
                Bits.be32(frame, 30, 0x0a000263);
            }
            net.send(Frame.of(Arrays.copyOf(frame, Math.max(14, random.nextInt(frame.length + 1)))));
            if (i % 1000 == 999) {
                Frame answer = null;
                // a network that still has a backlog of mutants drops frames
                for (int tries = 0; answer == null && tries < 100; tries++) {
                    int data = i;
                    sendPing(data);
                    answer = card.within(200, f -> isAnswer(f, data));
                }
                assertThat(answer).as("answer after mutant %d", i).isNotNull();
            }
        }
    }

    private static byte[] tcpTemplate() {
        byte[] frame = new byte[DATA + 40];
        Ip4.header(frame, UserAddresses.GATEWAY_MAC, MAC, Ip4.TCP, UserAddresses.GUEST, 0x0a000263, 60);
        Bits.be16(frame, TCP, GUEST_PORT);
        Bits.be16(frame, TCP + 2, 1);
        frame[TCP + 12] = (byte) 0xa0;
        frame[TCP + 13] = TcpFlow.SYN;
        return frame;
    }
}
