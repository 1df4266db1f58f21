package gunyah.vmm.net;

import gunyah.config.BadInput;
import gunyah.config.NetConfig;
import gunyah.vmm.virtio.Bits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A network of one guest behind address translation, as QEMU's {@code -netdev user}: DHCP, DNS, TCP and UDP to wherever
 * this computer gets, its loopback at the gateway's address, and ports of this computer forwarded to the guest. All of it
 * belongs to one thread, which waits in a selector.
 */
public final class UserNet implements Network {
    private static final Logger LOG = LoggerFactory.getLogger(UserNet.class);
    /** Bytes of frames that may wait for the thread. */
    private static final int BACKLOG = 4 << 20;
    private static final int MAX_TCP = 1024;
    private static final int MAX_UDP = 256;
    private static final long UDP_IDLE_NS = 60_000_000_000L;
    private static final int DNS_PORT = 53;
    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");

    private final Selector selector;
    private final RandomGenerator random;
    private final List<NetworkChannel> listeners = new ArrayList<>();
    private final List<Integer> forwardedPorts = new ArrayList<>();
    private final ConcurrentLinkedQueue<Frame> fromGuest = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    /** The thread was told of frames that it has not looked for yet. */
    private final AtomicBoolean woken = new AtomicBoolean();
    private final Map<TcpFlow.Key, TcpFlow> tcp = new HashMap<>();
    private final Map<TcpFlow.Key, UdpFlow> udp = new HashMap<>();
    private final Set<TcpFlow> touched = new LinkedHashSet<>();
    private final InetAddress nameServer;
    private volatile boolean closed;
    private volatile boolean roomAgain;
    private Card card;
    private long guestMac = UserAddresses.BROADCAST_MAC;
    private int nextPort = 49152;

    private UserNet(Selector selector, RandomGenerator random, InetAddress nameServer) {
        this.selector = selector;
        this.random = random;
        this.nameServer = nameServer;
    }

    /**
     * Opens the forwarded ports; the network runs once a card is plugged in.
     *
     * @param random for sequence numbers
     * @throws BadInput when a port cannot be had
     */
    public static UserNet open(NetConfig.User config, RandomGenerator random) {
        UserNet net = null;
        try {
            net = new UserNet(Selector.open(), random, nameServer());
            for (NetConfig.Forward forward : config.forwards()) {
                net.listen(forward);
            }
            return net;
        } catch (IOException e) {
            if (net != null) {
                net.release();
            }
            throw new BadInput("network user: " + e.getMessage(), e);
        }
    }

    /** The first name server of this computer; itself when it says none. */
    private static InetAddress nameServer() throws UnknownHostException {
        try {
            for (String line : Files.readAllLines(RESOLV_CONF)) {
                String[] words = line.strip().split("\\s+");
                if (words.length > 1 && words[0].equals("nameserver")) {
                    return InetAddress.ofLiteral(words[1]);
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            LOG.debug("{}: {}", RESOLV_CONF, e.getMessage());
        }
        return loopback();
    }

    private static InetAddress loopback() throws UnknownHostException {
        return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    }

    private void listen(NetConfig.Forward forward) throws IOException {
        InetAddress address = forward.host().isEmpty() ? loopback() : InetAddress.getByName(forward.host());
        InetSocketAddress place = new InetSocketAddress(address, forward.hostPort());
        switch (forward.transport()) {
            case TCP -> {
                ServerSocketChannel listener = ServerSocketChannel.open();
                listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                listen(listener, place, SelectionKey.OP_ACCEPT, forward);
            }
            case UDP -> {
                DatagramChannel listener = DatagramChannel.open(StandardProtocolFamily.INET);
                listen(listener, place, SelectionKey.OP_READ, new UdpPort(this, listener, forward.guestPort()));
            }
        }
        LOG.info("{} port {} leads to the guest's port {}", forward.transport(), forwardedPorts.getLast(),
                forward.guestPort());
    }

    private <C extends SelectableChannel & NetworkChannel> void listen(C listener, InetSocketAddress place,
            int interest, Object attachment) throws IOException {
        listeners.add(listener);
        try {
            listener.bind(place);
        } catch (IOException e) {
            throw new IOException("port %d of %s: %s".formatted(place.getPort(), place.getAddress().getHostAddress(),
                    e.getMessage()), e);
        }
        listener.configureBlocking(false);
        listener.register(selector, interest, attachment);
        forwardedPorts.add(((InetSocketAddress) listener.getLocalAddress()).getPort());
    }

    /** {@return the ports that lead to the guest, as this computer numbers them, in the order of the configuration} */
    public List<Integer> forwardedPorts() {
        return List.copyOf(forwardedPorts);
    }

    @Override
    public void plug(Card plugged) {
        card = plugged;
        Thread.ofPlatform().daemon().name("gunyah-user-net").start(this::run);
    }

    @Override
    public boolean takesLargeFrames() {
        return true;
    }

    boolean guestTakesLargeFrames() {
        return card.takesLargeFrames(4);
    }

    @Override
    public void send(Frame frame) {
        if (waiting.get() < BACKLOG) {
            waiting.addAndGet(frame.length());
            fromGuest.add(frame);
            // the frame is there before the question, and the thread clears the answer before it looks for frames
            if (!woken.getAndSet(true)) {
                selector.wakeup();
            }
        }
    }

    @Override
    public void hasRoomAgain() {
        roomAgain = true;
        selector.wakeup();
    }

    @Override
    public void close() {
        closed = true;
        if (card == null) {
            release();
        } else {
            selector.wakeup();
        }
    }

    boolean hasRoom() {
        return card.hasRoom();
    }

    void deliver(Frame frame) {
        card.deliver(frame);
    }

    long guestMac() {
        return guestMac;
    }

    long nowNs() {
        return System.nanoTime();
    }

    /** The flow has something to do once all that came is looked at. */
    void touched(TcpFlow flow) {
        touched.add(flow);
    }

    private void run() {
        try {
            while (!closed) {
                selector.select(untilDeadline());
                for (SelectionKey key : selector.selectedKeys()) {
                    ready(key);
                }
                selector.selectedKeys().clear();
                takeFrames();
                if (roomAgain) {
                    roomAgain = false;
                    touched.addAll(tcp.values());
                }
                flush();
                expire();
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("a user network ended", e);
        } finally {
            release();
        }
    }

    private void release() {
        tcp.values().forEach(flow -> closeQuietly(flow.channel()));
        List.copyOf(udp.values()).forEach(UdpFlow::close);
        listeners.forEach(this::closeQuietly);
        try {
            selector.close();
        } catch (IOException e) {
            LOG.debug("{}", e.getMessage());
        }
    }

    void closeQuietly(Channel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("{}", e.getMessage());
        }
    }

    private void ready(SelectionKey key) {
        if (!key.isValid()) {
            return;
        }
        switch (key.attachment()) {
            case TcpFlow flow -> {
                flow.ready();
                touched.add(flow);
            }
            case UdpFlow flow -> flow.ready();
            case UdpPort port -> port.ready();
            case NetConfig.Forward forward -> accept((ServerSocketChannel) key.channel(), forward);
            default -> throw new IllegalStateException("key of " + key.attachment());
        }
    }

    private void takeFrames() {
        woken.set(false);
        Frame frame = fromGuest.poll();
        while (frame != null) {
            waiting.addAndGet(-frame.length());
            take(frame.bytes(), frame.length());
            frame = fromGuest.poll();
        }
    }

    private void flush() {
        while (!touched.isEmpty()) {
            List<TcpFlow> flows = List.copyOf(touched);
            touched.clear();
            for (TcpFlow flow : flows) {
                flow.flush();
                if (flow.isClosed()) {
                    tcp.remove(flow.key(), flow);
                }
            }
        }
    }

    private long untilDeadline() {
        long now = nowNs();
        long soonest = udp.isEmpty() ? Long.MAX_VALUE : UDP_IDLE_NS;
        for (TcpFlow flow : tcp.values()) {
            if (flow.deadlineNs() != 0) {
                soonest = Math.min(soonest, Math.max(1_000_000, flow.deadlineNs() - now));
            }
        }
        return soonest == Long.MAX_VALUE ? 0 : soonest / 1_000_000;
    }

    private void expire() {
        long now = nowNs();
        for (TcpFlow flow : tcp.values()) {
            if (flow.deadlineNs() != 0 && flow.deadlineNs() - now <= 0) {
                flow.timeout();
            }
        }
        flush();
        udp.values().removeIf(flow -> {
            boolean idle = now - flow.usedNs() > UDP_IDLE_NS;
            if (idle) {
                flow.close();
            }
            return idle;
        });
    }

    private void take(byte[] in, int length) {
        guestMac = Ip4.mac(in, 6);
        int type = Bits.be16(in, 12);
        if (type == Ip4.ETHERTYPE_ARP) {
            UserServices.arp(in, length).ifPresent(this::deliver);
        } else if (type == Ip4.ETHERTYPE) {
            int transport = Ip4.transport(in, length);
            if (transport >= 0) {
                takePacket(in, transport, Ip4.end(in));
            }
        }
    }

    private void takePacket(byte[] in, int transport, int end) {
        int from = Ip4.source(in);
        switch (Ip4.protocol(in)) {
            case Ip4.UDP -> takeUdp(in, transport, end, from);
            case Ip4.TCP -> {
                if (isGuest(from)) {
                    takeTcp(in, transport, end, from);
                }
            }
            case Ip4.ICMP -> {
                if (isGuest(from)) {
                    UserServices.icmp(in, transport).ifPresent(this::deliver);
                }
            }
            default -> { }
        }
    }

    private static boolean isGuest(int address) {
        return (address & UserAddresses.MASK) == UserAddresses.NET && address != UserAddresses.GATEWAY
                && address != UserAddresses.DNS;
    }

    private void takeUdp(byte[] in, int transport, int end, int from) {
        int data = transport + Ip4.UDP_HEADER;
        if (data > end || transport + Bits.be16(in, transport + 4) != end) {
            return;
        }
        int port = Bits.be16(in, transport + 2);
        int to = Ip4.destination(in);
        if (port == UserServices.DHCP_SERVER_PORT && (to == -1 || to == UserAddresses.GATEWAY)) {
            UserServices.dhcp(in, data, end).ifPresent(this::deliver);
        } else if (isGuest(from)) {
            TcpFlow.Key key = new TcpFlow.Key(from, Bits.be16(in, transport), to, port);
            UdpFlow flow = udp.get(key);
            if (flow == null) {
                flow = openUdp(key);
            }
            if (flow != null) {
                flow.send(in, data, end - data);
            }
        }
    }

    private UdpFlow openUdp(TcpFlow.Key key) {
        Optional<InetSocketAddress> target = target(key.peer(), key.peerPort());
        if (target.isEmpty()) {
            return null;
        }
        DatagramChannel channel = null;
        try {
            channel = DatagramChannel.open();
            channel.configureBlocking(false);
            channel.connect(target.get());
            UdpFlow flow = UdpFlow.fromGuest(this, key, channel);
            channel.register(selector, SelectionKey.OP_READ, flow);
            keep(flow);
            return flow;
        } catch (IOException e) {
            if (channel != null) {
                closeQuietly(channel);
            }
            return null;
        }
    }

    /** {@return a flow for who sent to a forwarded port} */
    UdpFlow openUdp(int guestPort, UdpPort port, SocketAddress sender) {
        UdpFlow flow = UdpFlow.toGuest(this, freeKey(guestPort), port, sender);
        keep(flow);
        return flow;
    }

    private void keep(UdpFlow flow) {
        if (udp.size() >= MAX_UDP) {
            UdpFlow oldest = udp.values().stream().min(Comparator.comparingLong(UdpFlow::usedNs)).orElseThrow();
            udp.remove(oldest.key());
            oldest.close();
        }
        udp.put(flow.key(), flow);
    }

    /** {@return where what the guest sends to an address goes on this computer; empty when nowhere} */
    private Optional<InetSocketAddress> target(int address, int port) {
        if (port == 0) {
            return Optional.empty();
        }
        try {
            if (address == UserAddresses.GATEWAY) {
                return Optional.of(new InetSocketAddress(loopback(), port));
            }
            if (address == UserAddresses.DNS) {
                return port == DNS_PORT ? Optional.of(new InetSocketAddress(nameServer, port)) : Optional.empty();
            }
            byte[] bytes = new byte[4];
            Bits.be32(bytes, 0, address);
            InetAddress outside = InetAddress.getByAddress(bytes);
            boolean nowhere = (address & UserAddresses.MASK) == UserAddresses.NET || outside.isLoopbackAddress()
                    || outside.isAnyLocalAddress() || outside.isMulticastAddress() || bytes[0] == 0
                    || (bytes[0] & 0xff) >= 240;
            return nowhere ? Optional.empty() : Optional.of(new InetSocketAddress(outside, port));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private void takeTcp(byte[] in, int transport, int end, int from) {
        if (transport + Ip4.TCP_HEADER > end) {
            return;
        }
        int data = transport + ((in[transport + 12] & 0xf0) >> 2);
        if (data < transport + Ip4.TCP_HEADER || data > end) {
            return;
        }
        TcpFlow.Key key = new TcpFlow.Key(from, Bits.be16(in, transport), Ip4.destination(in),
                Bits.be16(in, transport + 2));
        TcpFlow flow = tcp.get(key);
        int flags = in[transport + 13];
        // one that ended in this round is still known until flush()
        if (flow != null && !flow.isClosed()) {
            flow.segment(in, transport, data, end);
        } else if ((flags & (TcpFlow.SYN | TcpFlow.ACK | TcpFlow.RST)) == TcpFlow.SYN) {
            if (!openTcp(key, in, transport)) {
                refuse(in, key, transport, end, data);
            }
        } else if ((flags & TcpFlow.RST) == 0) {
            refuse(in, key, transport, end, data);
        }
    }

    private boolean openTcp(TcpFlow.Key key, byte[] in, int transport) {
        Optional<InetSocketAddress> target = target(key.peer(), key.peerPort());
        if (target.isEmpty() || tcp.size() >= MAX_TCP) {
            return false;
        }
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            TcpFlow flow = TcpFlow.fromGuest(this, key, channel, random.nextInt(), in, transport);
            channel.connect(target.get());
            // a connection made at once is reported as connectable all the same
            flow.selection(channel.register(selector, SelectionKey.OP_CONNECT, flow));
            tcp.put(key, flow);
            return true;
        } catch (IOException e) {
            if (channel != null) {
                closeQuietly(channel);
            }
            return false;
        }
    }

    /** Answers with RST (RFC 9293, 3.10.7.1). */
    private void refuse(byte[] in, TcpFlow.Key key, int transport, int end, int data) {
        int flags = in[transport + 13];
        boolean acknowledges = (flags & TcpFlow.ACK) != 0;
        byte[] out = new byte[Ip4.TRANSPORT + Ip4.TCP_HEADER];
        Ip4.header(out, guestMac, UserAddresses.GATEWAY_MAC, Ip4.TCP, key.peer(), key.guest(), Ip4.TCP_HEADER);
        int at = Ip4.TRANSPORT;
        Bits.be16(out, at, key.peerPort());
        Bits.be16(out, at + 2, key.guestPort());
        int length = end - data + (flags & TcpFlow.SYN) / TcpFlow.SYN + (flags & TcpFlow.FIN);
        Bits.be32(out, at + 4, acknowledges ? Bits.be32(in, transport + 8) : 0);
        Bits.be32(out, at + 8, acknowledges ? 0 : Bits.be32(in, transport + 4) + length);
        out[at + 12] = Ip4.TCP_HEADER << 2;
        out[at + 13] = (byte) (acknowledges ? TcpFlow.RST : TcpFlow.RST | TcpFlow.ACK);
        Bits.be16(out, at + 16, InternetChecksum.pseudoHeader(out, Ip4.IP, Ip4.TCP, Ip4.TCP_HEADER));
        deliver(new Frame(out, out.length, at, 16, 0));
    }

    private void accept(ServerSocketChannel listener, NetConfig.Forward forward) {
        try {
            SocketChannel channel = listener.accept();
            if (channel == null) {
                return;
            }
            if (tcp.size() >= MAX_TCP) {
                closeQuietly(channel);
                return;
            }
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            TcpFlow flow = TcpFlow.toGuest(this, freeKey(forward.guestPort()), channel, random.nextInt());
            flow.selection(channel.register(selector, 0, flow));
            tcp.put(flow.key(), flow);
        } catch (IOException e) {
            LOG.warn("a connection to the guest's port {} was lost: {}", forward.guestPort(), e.getMessage());
        }
    }

    private TcpFlow.Key freeKey(int guestPort) {
        TcpFlow.Key key;
        do {
            nextPort = nextPort == 0xffff ? 49152 : nextPort + 1;
            key = new TcpFlow.Key(UserAddresses.GUEST, guestPort, UserAddresses.GATEWAY, nextPort);
        } while (tcp.containsKey(key) || udp.containsKey(key));
        return key;
    }
}
