package gunyah.vmm.vsock;

import gunyah.config.BadInput;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This computer's side of one guest's sockets: one Unix domain socket where programs ask for a port of the guest, and
 * sockets of other programs, one for each port that the guest may call. Owned by the device's loop, which does all
 * input and output without blocking; a thread of its own only waits, and tells what may go on.
 */
final class UnixSockets implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnixSockets.class);
    /** Longest path of a Unix domain socket on Linux, without its terminator. */
    private static final int MAX_PATH = 107;
    private static final int MAX_SUFFIX = "_4294967295".length();
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_SOCKET = 0140000;
    /** More at once are refused. */
    private static final int MAX_SOCKETS = 512;

    private final Path path;
    private final Selector selector;
    private final ServerSocketChannel listener;
    private final SelectionKey listening;
    /** Keys the thread saw ready, each disarmed for what it was ready for. */
    private final ConcurrentLinkedQueue<SelectionKey> fired = new ConcurrentLinkedQueue<>();
    private final Set<HostSocket> open = new HashSet<>();
    private volatile Runnable wake = () -> { };

    private UnixSockets(Path path, Selector selector, ServerSocketChannel listener) throws IOException {
        this.path = path;
        this.selector = selector;
        this.listener = listener;
        listener.configureBlocking(false);
        listening = listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /** Makes the socket at {@code path}. One that a program left behind is replaced. @throws BadInput */
    static UnixSockets open(Path path) {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length + MAX_SUFFIX > MAX_PATH) {
            throw new BadInput("vsock: the path %s is too long for a socket: at most %d bytes".formatted(path,
                    MAX_PATH - MAX_SUFFIX));
        }
        ServerSocketChannel listener = null;
        Selector selector = null;
        try {
            removeAbandoned(path);
            listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listener.bind(UnixDomainSocketAddress.of(path));
            selector = Selector.open();
            UnixSockets sockets = new UnixSockets(path, selector, listener);
            Thread.ofPlatform().daemon().name("gunyah-vsock").start(sockets::waitForSockets);
            return sockets;
        } catch (IOException e) {
            close(listener);
            close(selector);
            throw new BadInput("vsock: cannot make the socket %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static void removeAbandoned(Path path) throws IOException {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && ((int) Files.getAttribute(path, "unix:mode",
                LinkOption.NOFOLLOW_LINKS) & TYPE_MASK) == TYPE_SOCKET) {
            try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                LOG.debug("{} is in use", probe.getRemoteAddress());
            } catch (IOException nobodyListens) {
                Files.delete(path);
            }
        }
    }

    /** {@code action} runs when {@link #next} has something; any thread. */
    void onReady(Runnable action) {
        wake = action;
    }

    private void waitForSockets() {
        try {
            while (true) {
                selector.select(this::ready);
                if (!fired.isEmpty()) {
                    wake.run();
                }
            }
        } catch (ClosedSelectorException e) {
            // closed: nobody waits for anything
        } catch (IOException e) {
            LOG.error("vsock {}: its sockets are lost", path, e);
        }
    }

    private void ready(SelectionKey key) {
        try {
            key.interestOpsAnd(~key.readyOps());
            fired.add(key);
        } catch (CancelledKeyException e) {
            // closed by the loop in between
        }
    }

    /** {@return the connection whose socket may go on, newly accepted ones included; null when there is none} */
    HostSocket next() {
        while (true) {
            SelectionKey key = fired.poll();
            if (key == null) {
                return null;
            }
            HostSocket socket = key == listening ? accept() : (HostSocket) key.attachment();
            if (socket != null && socket.isOpen()) {
                return socket;
            }
        }
    }

    private HostSocket accept() {
        try {
            SocketChannel channel = listener.accept();
            if (channel == null) {
                arm(listening, SelectionKey.OP_ACCEPT);
                return null;
            }
            // there may be more: looked for when this one is served
            fired.add(listening);
            if (open.size() < MAX_SOCKETS) {
                return socket(channel);
            }
            close(channel);
            return null;
        } catch (IOException e) {
            LOG.warn("vsock {}: {}", path, e.getMessage());
            arm(listening, SelectionKey.OP_ACCEPT);
            return null;
        }
    }

    private HostSocket socket(SocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        HostSocket socket = new HostSocket(this, channel);
        socket.key(channel.register(selector, 0, socket));
        open.add(socket);
        return socket;
    }

    /** Calls the program that listens for a port. {@return null when none does, or it has no room for one more} */
    HostSocket connect(int port) {
        if (open.size() >= MAX_SOCKETS) {
            return null;
        }
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            if (channel.connect(UnixDomainSocketAddress.of(path + "_" + Integer.toUnsignedString(port)))) {
                return socket(channel);
            }
        } catch (IOException e) {
            LOG.debug("vsock {}: port {}: {}", path, Integer.toUnsignedString(port), e.getMessage());
        }
        close(channel);
        return null;
    }

    /** Has the thread wait for {@code operations}, too. */
    void arm(SelectionKey key, int operations) {
        try {
            if ((key.interestOpsOr(operations) & operations) != operations) {
                selector.wakeup();
            }
        } catch (CancelledKeyException e) {
            // closed with the device
        }
    }

    /** A registered channel that was closed lets go of its descriptor when the thread has looked. */
    void closed(HostSocket socket) {
        open.remove(socket);
        selector.wakeup();
    }

    /** Ends every connection; new ones may come. */
    void closeConnections() {
        List.copyOf(open).forEach(HostSocket::close);
    }

    @Override
    public void close() {
        closeConnections();
        close(listener);
        close(selector);
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.warn("vsock: {} stays: {}", path, e.getMessage());
        }
    }

    private static void close(AutoCloseable closeable) {
        if (closeable != null) {
            try {
                closeable.close();
            } catch (Exception e) {
                LOG.debug("vsock: {}", e.getMessage());
            }
        }
    }
}
