package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * One TCP connection of a guest: we are its peer in the guest's eyes (RFC 9293, window scaling of RFC 7323), and a socket
 * of this computer to the other end. Data waits in two bounded rings; a side that does not take data stops the other.
 * Frames are lost only when the guest has no buffers, so there is retransmission, but no congestion control. Owned by
 * the network's thread.
 */
final class TcpFlow {
    static final int FIN = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int PSH = 8;
    static final int ACK = 16;

    private static final int TO_HOST = 256 << 10;
    private static final int TO_GUEST = 512 << 10;
    private static final int SCALE = 3;
    private static final int DEFAULT_MSS = 536;
    private static final int MAX_MSS = Frame.MTU - Ip4.HEADER - Ip4.TCP_HEADER;
    private static final int LARGE = 60_000;
    private static final long FIRST_RTO_NS = 300_000_000L;
    private static final long MAX_RTO_NS = 8_000_000_000L;
    private static final int MAX_RETRIES = 10;

    /** How far it has come. */
    private enum State {
        /** The socket connects; the guest waits for its SYN-ACK. */
        CONNECTING,
        /** SYN-ACK sent. */
        ANSWERED,
        /** SYN sent to the guest, for a forwarded port. */
        CALLING,
        ESTABLISHED,
        CLOSED
    }

    /**
     * Both ends as the guest sees them.
     *
     * @param guest     the guest's address
     * @param guestPort its port
     * @param peer      the other end's address
     * @param peerPort  its port
     */
    record Key(int guest, int guestPort, int peer, int peerPort) {
    }

    private final UserNet net;
    private final Key key;
    private final SocketChannel channel;
    private final ByteRing toHost = new ByteRing(TO_HOST);
    private final ByteRing toGuest = new ByteRing(TO_GUEST);
    private SelectionKey selection;
    private State state;
    /** Next sequence number we expect of the guest. */
    private int expected;
    /** Oldest sequence number the guest has not acknowledged, which is the front of {@code toGuest}; next one to send. */
    private int unacknowledged;
    private int next;
    private int window;
    private int scale;
    private int ourScale;
    private int mss = DEFAULT_MSS;
    private int announced;
    private boolean owesAck;
    private boolean guestEnded;
    private boolean hostToldEnd;
    private boolean hostEnded;
    private boolean finSent;
    private boolean finAcknowledged;
    private int duplicates;
    private long rtoNs = FIRST_RTO_NS;
    private long deadlineNs;
    private int retries;

    private TcpFlow(UserNet net, Key key, SocketChannel channel, int firstSequence) {
        this.net = net;
        this.key = key;
        this.channel = channel;
        this.unacknowledged = firstSequence;
        this.next = firstSequence;
    }

    /** A guest's SYN; the channel connects meanwhile. */
    static TcpFlow fromGuest(UserNet net, Key key, SocketChannel channel, int firstSequence, byte[] in, int tcp) {
        TcpFlow flow = new TcpFlow(net, key, channel, firstSequence);
        flow.state = State.CONNECTING;
        flow.expected = Bits.be32(in, tcp + 4) + 1;
        flow.window = Bits.be16(in, tcp + 14);
        flow.options(in, tcp);
        return flow;
    }

    /** A connection accepted for the guest: calls it. */
    static TcpFlow toGuest(UserNet net, Key key, SocketChannel channel, int firstSequence) {
        TcpFlow flow = new TcpFlow(net, key, channel, firstSequence);
        flow.state = State.CALLING;
        flow.ourScale = SCALE;
        flow.sendSyn(SYN);
        return flow;
    }

    Key key() {
        return key;
    }

    SocketChannel channel() {
        return channel;
    }

    void selection(SelectionKey registered) {
        selection = registered;
        updateInterest();
    }

    boolean isClosed() {
        return state == State.CLOSED;
    }

    /** {@return when {@link #timeout} is due; 0 = never} */
    long deadlineNs() {
        return deadlineNs;
    }

    private void options(byte[] in, int tcp) {
        int end = tcp + ((in[tcp + 12] & 0xf0) >> 2);
        boolean scales = false;
        int at = tcp + Ip4.TCP_HEADER;
        while (at < end && in[at] != 0) {
            if (in[at] == 1) {
                at++;
                continue;
            }
            int length = at + 1 < end ? in[at + 1] & 0xff : 0;
            if (length < 2 || at + length > end) {
                break;
            }
            if (in[at] == 2 && length == 4) {
                mss = Math.clamp(Bits.be16(in, at + 2), 64, MAX_MSS);
            } else if (in[at] == 3 && length == 3) {
                scale = Math.min(14, in[at + 2] & 0xff);
                scales = true;
            }
            at += length;
        }
        if (scales) {
            ourScale = SCALE;
        } else {
            scale = 0;
            ourScale = 0;
        }
    }

    /** The socket is connected, has data, or takes data. */
    void ready() {
        try {
            if (state == State.CONNECTING && selection.isConnectable()) {
                channel.finishConnect();
                state = State.ANSWERED;
                sendSyn(SYN | ACK);
                updateInterest();
                return;
            }
            if (selection.isReadable()) {
                fetch();
            }
            flush();
        } catch (IOException e) {
            abort();
        }
    }

    private void fetch() throws IOException {
        if (!hostEnded && toGuest.free() > 0 && toGuest.readFrom(channel) < 0) {
            hostEnded = true;
        }
    }

    /** A segment of the guest; {@code tcp} is where it starts, {@code data} where its data does. */
    void segment(byte[] in, int tcp, int data, int end) {
        int flags = in[tcp + 13];
        int sequence = Bits.be32(in, tcp + 4);
        int acknowledged = Bits.be32(in, tcp + 8);
        if ((flags & RST) != 0) {
            if (sequence - expected >= 0 && sequence - expected <= TO_HOST || state == State.CALLING) {
                close();
            }
            return;
        }
        if (state == State.CALLING) {
            called(in, tcp, flags, sequence, acknowledged);
            return;
        }
        if ((flags & SYN) != 0) {
            if (state == State.ANSWERED) {
                next = unacknowledged;
                sendSyn(SYN | ACK);
            }
            return;
        }
        if ((flags & ACK) == 0 || state == State.CONNECTING) {
            return;
        }
        if (!acknowledge(acknowledged, Bits.be16(in, tcp + 14) << scale, end - data)) {
            return;
        }
        accept(in, sequence, data, end, (flags & FIN) != 0);
        net.touched(this);
    }

    private void called(byte[] in, int tcp, int flags, int sequence, int acknowledged) {
        if ((flags & (SYN | ACK)) != (SYN | ACK) || acknowledged != next) {
            return;
        }
        expected = sequence + 1;
        unacknowledged = acknowledged;
        window = Bits.be16(in, tcp + 14);
        options(in, tcp);
        established();
        owesAck = true;
        net.touched(this);
    }

    private void established() {
        state = State.ESTABLISHED;
        deadlineNs = 0;
        retries = 0;
        rtoNs = FIRST_RTO_NS;
        updateInterest();
    }

    /** {@return false when it acknowledges what was never sent} */
    private boolean acknowledge(int acknowledged, int offered, int dataLength) {
        int count = acknowledged - unacknowledged;
        if (count < 0) {
            return true;
        }
        if (count > next - unacknowledged) {
            owesAck = true;
            net.touched(this);
            return false;
        }
        if (state == State.ANSWERED && count > 0) {
            unacknowledged++;
            count--;
            established();
        }
        if (count == 0 && dataLength == 0 && offered == window && next != unacknowledged) {
            if (++duplicates == 3) {
                resend();
            }
        }
        if (window == 0 && offered > 0 && !finSent) {
            // what was sent to probe the closed window did not arrive
            next = acknowledged;
        }
        window = offered;
        if (offered == 0) {
            retries = 0;
        }
        if (count > 0) {
            duplicates = 0;
            int data = Math.min(count, toGuest.size());
            toGuest.drop(data);
            unacknowledged = acknowledged;
            finAcknowledged = finSent && unacknowledged == next;
            retries = 0;
            rtoNs = FIRST_RTO_NS;
            deadlineNs = unacknowledged == next ? 0 : net.nowNs() + rtoNs;
        }
        return true;
    }

    private void accept(byte[] in, int sequence, int data, int end, boolean fin) {
        int length = end - data;
        if (length == 0 && !fin) {
            return;
        }
        owesAck = true;
        int known = expected - sequence;
        if (known < 0 || known > length || guestEnded) {
            return;
        }
        int taken = toHost.put(in, data + known, length - known);
        expected += taken;
        if (fin && known + taken == length) {
            expected++;
            guestEnded = true;
        }
    }

    /** Moves what can be moved, and tells the guest what it must know; called once for many segments. */
    void flush() {
        if (state != State.ESTABLISHED) {
            return;
        }
        try {
            toHost.writeTo(channel);
            if (guestEnded && !hostToldEnd && toHost.size() == 0) {
                channel.shutdownOutput();
                hostToldEnd = true;
            }
            send();
            fetch();
            send();
        } catch (IOException e) {
            abort();
            return;
        }
        int most = Math.min(TO_HOST, 0xffff << ourScale);
        boolean reopened = announced <= most / 2 && offeredWindow() - announced >= most / 4;
        if ((owesAck || reopened) && net.hasRoom()) {
            segment(next, 0, ACK);
        }
        if (hostToldEnd && finAcknowledged) {
            close();
        } else {
            updateInterest();
        }
    }

    private int offeredWindow() {
        return Math.min(toHost.free(), 0xffff << ourScale) >> ourScale << ourScale;
    }

    private void send() {
        int sent = next - unacknowledged - (finSent ? 1 : 0);
        while (sent < toGuest.size() && !finSent && net.hasRoom()) {
            int room = window - sent;
            int piece = Math.min(Math.min(toGuest.size() - sent, room), net.guestTakesLargeFrames() ? LARGE : mss);
            // a small window is not worth a segment, unless nothing is on its way that would open it
            if (piece <= 0 || piece < mss && piece < toGuest.size() - sent && sent > 0) {
                break;
            }
            segment(next, piece, piece == toGuest.size() - sent ? ACK | PSH : ACK);
            next += piece;
            sent += piece;
        }
        if (hostEnded && !finSent && sent == toGuest.size()) {
            segment(next, 0, ACK | FIN);
            next++;
            finSent = true;
        }
        boolean waits = next != unacknowledged || sent < toGuest.size();
        if (waits && deadlineNs == 0) {
            deadlineNs = net.nowNs() + rtoNs;
        }
    }

    /** The guest has not answered for too long. */
    void timeout() {
        if (++retries > MAX_RETRIES) {
            abort();
            return;
        }
        rtoNs = Math.min(rtoNs * 2, MAX_RTO_NS);
        deadlineNs = net.nowNs() + rtoNs;
        switch (state) {
            case CALLING -> {
                next = unacknowledged;
                sendSyn(SYN);
            }
            case ANSWERED -> {
                next = unacknowledged;
                sendSyn(SYN | ACK);
            }
            case ESTABLISHED -> resend();
            case CONNECTING, CLOSED -> deadlineNs = 0;
        }
    }

    /** Sends the oldest segment again, or looks behind a closed window with one byte. */
    private void resend() {
        int piece = Math.min(toGuest.size(), Math.max(1, Math.min(mss, window)));
        if (piece > 0) {
            segment(unacknowledged, piece, ACK | PSH);
            if (unacknowledged + piece - next > 0) {
                next = unacknowledged + piece;
            }
        } else if (finSent) {
            segment(unacknowledged, 0, ACK | FIN);
        }
    }

    private void sendSyn(int flags) {
        byte[] frame = new byte[Ip4.TRANSPORT + Ip4.TCP_HEADER + 8];
        int options = Ip4.TRANSPORT + Ip4.TCP_HEADER;
        frame[options] = 2;
        frame[options + 1] = 4;
        Bits.be16(frame, options + 2, MAX_MSS);
        if (ourScale != 0) {
            frame[options + 4] = 3;
            frame[options + 5] = 3;
            frame[options + 6] = SCALE;
        }
        announced = Math.min(toHost.free(), 0xffff);
        net.deliver(finished(frame, next, flags, 8, announced, 0));
        next++;
        deadlineNs = net.nowNs() + rtoNs;
    }

    private void segment(int sequence, int length, int flags) {
        byte[] frame = new byte[Ip4.TRANSPORT + Ip4.TCP_HEADER + length];
        toGuest.copy(sequence - unacknowledged, frame, Ip4.TRANSPORT + Ip4.TCP_HEADER, length);
        announced = offeredWindow();
        owesAck = false;
        net.deliver(finished(frame, sequence, flags, 0, announced >> ourScale, length > mss ? mss : 0));
    }

    private Frame finished(byte[] frame, int sequence, int flags, int optionBytes, int offered, int segmentSize) {
        int tcp = Ip4.TRANSPORT;
        int length = frame.length - tcp;
        Ip4.header(frame, net.guestMac(), UserAddresses.GATEWAY_MAC, Ip4.TCP, key.peer, key.guest, length);
        ports(frame, sequence, flags, optionBytes, offered);
        Bits.be16(frame, tcp + 16, InternetChecksum.pseudoHeader(frame, Ip4.IP, Ip4.TCP, length));
        return new Frame(frame, frame.length, tcp, 16, segmentSize);
    }

    private void ports(byte[] frame, int sequence, int flags, int optionBytes, int offered) {
        int tcp = Ip4.TRANSPORT;
        Bits.be16(frame, tcp, key.peerPort);
        Bits.be16(frame, tcp + 2, key.guestPort);
        Bits.be32(frame, tcp + 4, sequence);
        Bits.be32(frame, tcp + 8, (flags & ACK) != 0 ? expected : 0);
        frame[tcp + 12] = (byte) (Ip4.TCP_HEADER + optionBytes << 2);
        frame[tcp + 13] = (byte) flags;
        Bits.be16(frame, tcp + 14, offered);
    }

    private void updateInterest() {
        if (selection == null || !selection.isValid()) {
            return;
        }
        int interest = state == State.CONNECTING ? SelectionKey.OP_CONNECT : 0;
        if (state == State.ESTABLISHED) {
            interest = (toGuest.free() > 0 && !hostEnded ? SelectionKey.OP_READ : 0)
                    | (toHost.size() > 0 ? SelectionKey.OP_WRITE : 0);
        }
        selection.interestOps(interest);
    }

    /** Ends both sides at once. */
    void abort() {
        if (state != State.CLOSED) {
            byte[] frame = new byte[Ip4.TRANSPORT + Ip4.TCP_HEADER];
            net.deliver(finished(frame, next, RST | ACK, 0, 0, 0));
            close();
        }
    }

    void close() {
        state = State.CLOSED;
        deadlineNs = 0;
        net.closeQuietly(channel);
        net.touched(this);
    }
}
