package gunyah.vmm.net;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.NetConfig;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The card as a driver sees it, and the switch between two of them. */
class VirtioNetTest {
    private static final int CSUM = 3;
    private static final int TSO4 = 1 << 7 | 1 << 11;
    private static final int TSO6 = 1 << 8 | 1 << 12;
    private static final int MERGEABLE = 1 << 15;
    private static final int CTRL_VQ = 1 << 17;
    private static final int MQ = 1 << 22;

    /** A network that keeps what was sent. */
    private static final class Sink implements Network {
        private final List<Frame> sent = new ArrayList<>();
        private Card card;
        private int roomAgain;

        @Override
        public boolean takesLargeFrames() {
            return true;
        }

        @Override
        public void plug(Card plugged) {
            card = plugged;
        }

        @Override
        public void send(Frame frame) {
            sent.add(frame);
        }

        @Override
        public void hasRoomAgain() {
            roomAgain++;
        }

        @Override
        public void close() {
            // nothing is open
        }
    }

    private final Sink sink = new Sink();
    private final TestDriver driver = new TestDriver(new VirtioNet(new byte[] {2, 0, 0, 0, 0, 9}, sink, 1));

    private static byte[] frame(int length) {
        byte[] frame = new byte[length];
        new Random(length).nextBytes(frame);
        return frame;
    }

    private static byte[] largeFrame(int length) {
        byte[] frame = frame(length);
        Ip4.header(frame, 1, 2, Ip4.TCP, 3, 4, length - Ip4.TRANSPORT);
        frame[Ip4.TRANSPORT + 12] = 0x50;
        return frame;
    }

    private static byte[] largeFrame6(int length) {
        byte[] frame = frame(length);
        Ip4.ethernet(frame, 1, 2, Ip6.ETHERTYPE);
        frame[14] = 0x60;
        Bits.be16(frame, 18, length - 54);
        frame[20] = Ip4.TCP;
        frame[66] = 0x50;
        return frame;
    }

    private static byte[] header(int flags, int gso, int gsoSize, int start, int field) {
        byte[] header = new byte[12];
        header[0] = (byte) flags;
        header[1] = (byte) gso;
        Bits.le16(header, 4, gsoSize);
        Bits.le16(header, 6, start);
        Bits.le16(header, 8, field);
        return header;
    }

    @Test
    void tellsItsAddressAndMtu() {
        assertThat(driver.transport.read(0x100, 1)).isEqualTo(2);
        assertThat(driver.transport.read(0x105, 1)).isEqualTo(9);
        assertThat(driver.transport.read(0x106, 2)).isEqualTo(1);
        assertThat(driver.transport.read(0x10a, 2)).isEqualTo(1500);
    }

    @Test
    void sendsFramesWithWhatIsLeftToDo() {
        driver.start(CSUM | TSO4);
        driver.call(1, Part.out(header(0, 0, 0, 0, 0)), Part.out(frame(100)));
        driver.call(1, Part.out(header(1, 1, 1448, 34, 16)), Part.out(largeFrame(30_000)));

        assertThat(sink.sent).hasSize(2);
        assertThat(sink.sent.get(0).bytes()).isEqualTo(frame(100));
        assertThat(sink.sent.get(1)).extracting(Frame::length, Frame::checksumStart, Frame::checksumField,
                Frame::segmentSize).containsExactly(30_000, 34, 16, 1448);
    }

    @Test
    void largeFramesOverIpv6GoBothWays() {
        driver.start(CSUM | TSO6 | MERGEABLE);
        byte[] bytes = largeFrame6(30_000);
        driver.call(1, Part.out(header(1, 4, 1428, 54, 16)), Part.out(bytes));
        // what is of one version may not say that it is of the other
        driver.call(1, Part.out(header(1, 1, 1428, 54, 16)), Part.out(bytes));
        driver.call(1, Part.out(header(1, 4, 1448, 34, 16)), Part.out(largeFrame(30_000)));
        // nor may TCP be elsewhere, or something else be in its place
        driver.call(1, Part.out(header(1, 4, 1428, 62, 16)), Part.out(bytes));
        for (int[] change : new int[][] {{14, 0x45}, {20, Ip4.UDP}, {20, 0}, {20, 43}, {66, 0x40}}) {
            byte[] wrong = largeFrame6(30_000);
            wrong[change[0]] = (byte) change[1];
            driver.call(1, Part.out(header(1, 4, 1428, 54, 16)), Part.out(wrong));
        }
        assertThat(sink.sent).hasSize(1);
        assertThat(sink.sent.get(0)).extracting(Frame::length, Frame::checksumStart, Frame::segmentSize)
                .containsExactly(30_000, 54, 1428);

        long buffer = driver.chain(0, 0, Part.in(40_000)).getFirst();
        driver.notify(0);
        sink.card.deliver(sink.sent.get(0));
        byte[] received = driver.memory.copy(buffer, 30_012);
        assertThat(Arrays.copyOf(received, 12)).isEqualTo(
                new byte[] {1, 4, 74, 0, (byte) (1428 & 0xff), 1428 >> 8, 54, 0, 16, 0, 1, 0});
        assertThat(Arrays.copyOfRange(received, 12, 30_012)).isEqualTo(bytes);
    }

    @Test
    void dropsFramesThatMakeNoSense() {
        driver.start(CSUM);
        driver.call(1, Part.out(header(0, 0, 0, 0, 0)), Part.out(frame(13)));
        driver.call(1, Part.out(header(0, 0, 0, 0, 0)), Part.out(frame(1515)));
        driver.call(1, Part.out(header(1, 0, 0, 99, 0)), Part.out(frame(100)));
        driver.call(1, Part.out(header(1, 4, 1448, 34, 16)), Part.out(frame(100)));
        driver.call(1, Part.out(header(0, 1, 1448, 0, 0)), Part.out(frame(100)));
        assertThat(sink.sent).isEmpty();
        assertThat(driver.isBroken()).isFalse();

        driver.chain(1, 0, Part.out(new byte[11]));
        driver.notify(1);
        assertThat(driver.isBroken()).isTrue();
    }

    @Test
    void dropsLargeFramesThatAreNotWhatTheySay() {
        driver.start(CSUM | TSO4);
        byte[] header = header(1, 1, 1448, 34, 16);
        for (int[] change : new int[][] {{12, 0x86}, {14, 0x46}, {14, 0x65}, {23, Ip4.UDP}, {46, 0x40}}) {
            byte[] frame = largeFrame(3000);
            frame[change[0]] = (byte) change[1];
            driver.call(1, Part.out(header), Part.out(frame));
        }
        byte[] endsInItsHeader = largeFrame(60);
        endsInItsHeader[46] = (byte) 0x70;
        driver.call(1, Part.out(header), Part.out(endsInItsHeader));
        driver.call(1, Part.out(header), Part.out(largeFrame(54)));
        driver.call(1, Part.out(header(1, 1, 7, 34, 16)), Part.out(largeFrame(3000)));
        driver.call(1, Part.out(header(1, 1, 1448, 34, 14)), Part.out(largeFrame(3000)));
        driver.call(1, Part.out(header(1, 1, 1448, 30, 16)), Part.out(largeFrame(3000)));
        driver.call(1, Part.out(header(1, 1, 1448, 40, 16)), Part.out(largeFrame(57)));
        assertThat(sink.sent).isEmpty();
        driver.call(1, Part.out(header), Part.out(largeFrame(55)));
        assertThat(sink.sent).hasSize(1);
        assertThat(driver.isBroken()).isFalse();
    }

    /** What a real user network has, which knows of its guest only once that has chosen. */
    @Test
    void offersLargeFramesBeforeItsGuestIsThere() {
        UserNet user = UserNet.open(new NetConfig.User(List.of()), new Random(1));
        for (Network network : List.of(user, new NetSwitch().port("lan"))) {
            VirtioNet card = new VirtioNet(new byte[6], network, 1);
            assertThat(card.features() & (TSO4 | TSO6)).isEqualTo(TSO4 | TSO6);
            for (int ip : new int[] {4, 6}) {
                int large = ip == 4 ? TSO4 : TSO6;
                TestDriver guest = new TestDriver(card).start(CSUM | large | MERGEABLE);
                assertThat(card.takesLargeFrames(ip)).isTrue();
                assertThat(card.takesLargeFrames(10 - ip)).isFalse();
                guest.start(CSUM | large);
                assertThat(card.takesLargeFrames(ip)).isFalse();
            }
            card.close();
        }
    }

    @Test
    void aLargeFrameNeverReachesADriverThatTakesNone() {
        driver.start(CSUM | MERGEABLE);
        driver.chain(0, 0, Part.in(4000));
        driver.notify(0);

        sink.card.deliver(new Frame(largeFrame(3000), 3000, 34, 16, 1448));
        assertThat(driver.used(0)).isZero();
        sink.card.deliver(Frame.of(frame(100)));
        assertThat(driver.used(0)).isEqualTo(1);
        assertThat(driver.usedLength(0)).isEqualTo(112);
    }

    @Test
    void featuresThatNeedOthersAreRefusedWithoutThem() {
        TestDriver many = new TestDriver(new VirtioNet(new byte[6], sink, 3));
        int featuresOk = 8;
        for (int alone : new int[] {1 << 7, 1 << 7 | 1, 1 << 11, 1 << 11 | 2, 1 << 8, 1 << 12, MQ}) {
            assertThat(many.start(alone).status() & featuresOk).as("%x", alone).isZero();
        }
        for (int together : new int[] {0, 1, 2, 1 << 7 | 2, 1 << 11 | 1, 1 << 8 | 2, 1 << 12 | 1, CTRL_VQ,
            CTRL_VQ | MQ, MERGEABLE}) {
            assertThat(many.start(together).status() & featuresOk).as("%x", together).isEqualTo(featuresOk);
        }
    }

    @Test
    void mergesBuffersForALongFrame() {
        driver.start(CSUM | TSO4 | MERGEABLE);
        byte[] long_ = largeFrame(2500);
        List<Long> buffers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            buffers.addAll(driver.chain(0, i, Part.in(1000)));
        }
        driver.notify(0);

        assertThat(sink.card.deliver(new Frame(long_, 2500, 34, 16, 1448))).isTrue();

        assertThat(driver.used(0)).isEqualTo(3);
        byte[] header = driver.memory.copy(buffers.get(0), 12);
        assertThat(header[0]).isEqualTo((byte) 1);
        assertThat(header[1]).isEqualTo((byte) 1);
        assertThat(Bits.le16(header, 2)).isEqualTo(54);
        assertThat(Bits.le16(header, 10)).isEqualTo(3);
        assertThat(driver.memory.copy(buffers.get(0) + 12, 988)).isEqualTo(Arrays.copyOf(long_, 988));
        assertThat(driver.memory.copy(buffers.get(2), 512)).isEqualTo(Arrays.copyOfRange(long_, 1988, 2500));
        assertThat(driver.usedLength(0)).isEqualTo(512);
    }

    @Test
    void aFrameWaitsForEnoughBuffersAndTheNetworkForRoom() {
        driver.start(CSUM | MERGEABLE);
        int taken = 0;
        while (sink.card.deliver(Frame.of(frame(100)))) {
            taken++;
        }
        assertThat(taken).isEqualTo(256);
        assertThat(sink.card.hasRoom()).isFalse();

        for (int round = 0; round < 32; round++) {
            for (int i = 0; i < 8; i++) {
                driver.chain(0, i, Part.in(200));
            }
            driver.notify(0);
            assertThat(driver.used(0)).isEqualTo(8);
        }
        assertThat(sink.card.hasRoom()).isTrue();
        assertThat(sink.roomAgain).isEqualTo(1);
    }

    @Test
    void completesTheChecksumForAGuestThatDoesNot() {
        driver.start(0);
        byte[] bytes = Ip4.udp(1, 2, 3, 4, 5, 6, new byte[] {1, 2, 3}, 3).bytes();
        byte[] partial = bytes.clone();
        Bits.be16(partial, 40, InternetChecksum.pseudoHeader(bytes, Ip4.IP, Ip4.UDP, 11));
        long buffer = driver.chain(0, 0, Part.in(200)).getFirst();
        driver.notify(0);

        sink.card.deliver(new Frame(partial, partial.length, 34, 6, 0));

        assertThat(driver.memory.copy(buffer, 1)[0]).isZero();
        assertThat(driver.memory.copy(buffer + 12, bytes.length)).isEqualTo(bytes);
    }

    /** The answer to setting the number of pairs; queue 6 is the control queue of three pairs. */
    private static byte usePairs(TestDriver many, int pairs) {
        return many.call(6, Part.out(new byte[] {4, 0}), Part.out(new byte[] {(byte) pairs, 0}), Part.in(1))[0];
    }

    private static Frame flow(int from, int to) {
        return Ip4.udp(1, 2, 0x0a000002, from, 0x0a00020f, to, new byte[20], 20);
    }

    /** {@return the same IPv6 packet with source and destination changed} */
    private static byte[] turned(byte[] frame) {
        byte[] turned = frame.clone();
        System.arraycopy(frame, 22, turned, 38, 16);
        System.arraycopy(frame, 38, turned, 22, 16);
        System.arraycopy(frame, 54, turned, 56, 2);
        System.arraycopy(frame, 56, turned, 54, 2);
        return turned;
    }

    private static int arrivals(TestDriver many, int pair) {
        return many.used(2 * pair);
    }

    @Test
    void aFlowComesBackThroughThePairItWasSentOn() {
        TestDriver many = new TestDriver(new VirtioNet(new byte[6], sink, 3)).start(CSUM | CTRL_VQ | MQ);
        assertThat(many.transport.read(0x108, 2)).isEqualTo(3);
        assertThat(usePairs(many, 3)).isZero();
        for (int pair = 0; pair < 3; pair++) {
            for (int i = 0; i < 4; i++) {
                many.chain(2 * pair, i, Part.in(200));
            }
            many.notify(2 * pair);
            many.call(2 * pair + 1, Part.out(header(0, 0, 0, 0, 0)), Part.out(flow(1000 + pair, 80).bytes()));
        }

        sink.card.deliver(flow(80, 1002));
        sink.card.deliver(flow(80, 1001));
        sink.card.deliver(flow(80, 1001));
        sink.card.deliver(flow(80, 1000));

        assertThat(arrivals(many, 0)).isEqualTo(1);
        assertThat(arrivals(many, 1)).isEqualTo(2);
        assertThat(arrivals(many, 2)).isEqualTo(1);

        // over IPv6, too
        Frame six = Frame.of(largeFrame6(100));
        many.call(3, Part.out(header(0, 0, 0, 0, 0)), Part.out(turned(six.bytes())));
        sink.card.deliver(six);
        assertThat(arrivals(many, 1)).isEqualTo(1);
        many.call(5, Part.out(header(0, 0, 0, 0, 0)), Part.out(turned(six.bytes())));
        sink.card.deliver(six);
        assertThat(arrivals(many, 2)).isEqualTo(1);

        // fewer pairs: what waits, and what comes, goes to those that are left
        many.start(CSUM | CTRL_VQ | MQ);
        usePairs(many, 3);
        many.call(5, Part.out(header(0, 0, 0, 0, 0)), Part.out(flow(1002, 80).bytes()));
        sink.card.deliver(flow(80, 1002));
        assertThat(usePairs(many, 1)).isZero();
        sink.card.deliver(flow(80, 1002));
        many.chain(0, 0, Part.in(200));
        many.chain(0, 1, Part.in(200));
        many.notify(0);
        assertThat(arrivals(many, 0)).isEqualTo(2);
    }

    @Test
    void refusesNumbersOfPairsItDoesNotHaveAndOtherCommands() {
        TestDriver many = new TestDriver(new VirtioNet(new byte[6], sink, 3)).start(CTRL_VQ | MQ);

        assertThat(usePairs(many, 0)).isEqualTo((byte) 1);
        assertThat(usePairs(many, 4)).isEqualTo((byte) 1);
        assertThat(many.call(6, Part.out(new byte[] {0, 0, 1}), Part.in(1))).containsExactly(1);
        assertThat(many.call(6, Part.out(new byte[] {4, 0}), Part.in(1))).containsExactly(1);
        many.start(CTRL_VQ);
        assertThat(many.call(2, Part.out(new byte[] {4, 0, 1, 0}), Part.in(1))).containsExactly(1);
        assertThat(many.isBroken()).isFalse();
        many.chain(2, 0, Part.out(new byte[] {4}), Part.in(1));
        many.notify(2);
        assertThat(many.isBroken()).isTrue();
    }

    @Test
    void aSwitchLearnsWhoIsWhereAndFloodsTheRest() {
        NetSwitch switches = new NetSwitch();
        Network[] ports = new Network[3];
        TestCard[] cards = new TestCard[3];
        for (int i = 0; i < 3; i++) {
            ports[i] = switches.port("lan");
            cards[i] = new TestCard();
            ports[i].plug(cards[i]);
        }
        Network other = switches.port("other");
        TestCard stranger = new TestCard();
        other.plug(stranger);

        ports[0].send(ethernet(UserAddresses.BROADCAST_MAC, 0x020000000001L));
        ports[1].send(ethernet(0x020000000001L, 0x020000000002L));
        ports[0].send(ethernet(0x020000000002L, 0x020000000001L));
        ports[0].send(ethernet(0x020000000003L, 0x020000000001L));

        assertThat(cards[0].frames).hasSize(1);
        assertThat(cards[1].frames).hasSize(3);
        assertThat(cards[2].frames).hasSize(2);
        assertThat(stranger.frames).isEmpty();
        ports[1].close();
        ports[0].send(ethernet(0x020000000002L, 0x020000000001L));
        assertThat(cards[1].frames).hasSize(3);
        assertThat(cards[2].frames).hasSize(3);
    }

    @Test
    void aSwitchCutsLargeFramesForWhoTakesNone() {
        NetSwitch switches = new NetSwitch();
        TestCard[] cards = {new TestCard(), new TestCard(), new TestCard()};
        cards[2].large = false;
        Network[] ports = new Network[3];
        for (int i = 0; i < 3; i++) {
            ports[i] = switches.port("lan");
            ports[i].plug(cards[i]);
        }
        Frame large = new Frame(largeFrame(54 + 2500), 54 + 2500, 34, 16, 1000);

        ports[0].send(large);

        assertThat(cards[1].frames).containsExactly(large);
        assertThat(cards[2].frames).hasSize(3);
        assertThat(cards[2].frames).extracting(Frame::length).containsExactly(1054, 1054, 554);
    }

    private static Frame ethernet(long to, long from) {
        byte[] frame = new byte[60];
        Ip4.ethernet(frame, to, from, 0x88b5);
        return Frame.of(frame);
    }
}
