package gunyah.vmm.vsock;

import gunyah.config.VsockConfig;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DescriptorChain;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.Virtqueue;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * A virtio socket device (virtio 1.2, 5.10) with stream sockets. A program of this computer that connects to the socket
 * at the device's path and sends {@code CONNECT PORT} in a line is answered {@code OK PORT} when the guest takes the
 * call; a guest that connects to port N of CID 2 reaches the program that listens at the path with {@code _N} behind.
 */
public final class VirtioVsock implements VirtioDevice {
    private static final int ID = 19;
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int QUEUES = 3;
    private static final long F_STREAM = 1;
    private static final int STAGE = 64 << 10;
    private static final int BATCH = 32;
    /** Refusals that wait for the guest's buffers; then it is not listened to. */
    private static final int MAX_REFUSALS = 64;
    /** Ports of this computer's ends of calls to the guest, above those that programs ask for by number. */
    private static final int FIRST_PORT = 1 << 30;

    /** A packet that belongs to no connection. */
    private record Refusal(VsockConnection.Key key, int type) {
    }

    private final long cid;
    private final byte[] config = new byte[8];
    private final UnixSockets sockets;
    private final Map<VsockConnection.Key, VsockConnection> connections = new HashMap<>();
    private final ArrayDeque<VsockConnection> talking = new ArrayDeque<>();
    private final ArrayDeque<Refusal> refusals = new ArrayDeque<>();
    private final VsockHeader header = new VsockHeader();
    private final byte[] stage = new byte[STAGE];
    private volatile DeviceQueues queues;
    private DescriptorChain chain;
    private int nextPort = FIRST_PORT;

    /** Makes the device and its socket. @throws gunyah.config.BadInput when it cannot be made */
    public VirtioVsock(VsockConfig settings) {
        cid = settings.cid();
        Bits.le64(config, 0, cid);
        sockets = UnixSockets.open(settings.socket());
        sockets.onReady(() -> {
            DeviceQueues running = queues;
            if (running != null) {
                running.schedule(RECEIVE);
            }
        });
    }

    @Override
    public String name() {
        return "virtio-vsock";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        return F_STREAM;
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public byte[] config() {
        return config;
    }

    @Override
    public void started(DeviceQueues running) {
        chain = new DescriptorChain(running.memory());
        queues = running;
    }

    @Override
    public void reset() {
        queues = null;
        sockets.closeConnections();
        connections.clear();
        talking.clear();
        refusals.clear();
    }

    @Override
    public void process(int index) {
        if (index == TRANSMIT && queues.queue(TRANSMIT) != null) {
            listen(queues.queue(TRANSMIT));
            queues.notifyDriver(TRANSMIT);
        }
        if (queues.queue(RECEIVE) != null) {
            for (HostSocket socket = sockets.next(); socket != null; socket = sockets.next()) {
                ready(socket);
            }
            talk(queues.queue(RECEIVE));
            queues.notifyDriver(RECEIVE);
        }
    }

    private void ready(HostSocket socket) {
        VsockConnection connection = socket.connection();
        if (connection != null) {
            connection.hostReady();
            enqueue(connection);
        } else if (socket.waiting() > 0) {
            socket.flush();
        } else {
            long port = socket.greeting();
            if (port >= 0) {
                VsockConnection.Key key = new VsockConnection.Key(freePort((int) port), (int) port);
                connection = VsockConnection.outgoing(key, cid, socket);
                connections.put(key, connection);
                enqueue(connection);
            }
        }
    }

    private int freePort(int guestPort) {
        while (connections.containsKey(new VsockConnection.Key(nextPort, guestPort))) {
            nextPort = nextPort + 1 | FIRST_PORT;
        }
        int port = nextPort;
        nextPort = nextPort + 1 | FIRST_PORT;
        return port;
    }

    private void enqueue(VsockConnection connection) {
        if (!connection.queued && connection.hasWork()) {
            connection.queued = true;
            talking.add(connection);
        }
    }

    private void listen(Virtqueue queue) {
        int heard = 0;
        do {
            queue.ignoreNotifications();
            while (refusals.size() < MAX_REFUSALS) {
                if (!queue.pop(chain)) {
                    break;
                }
                if (chain.read(header.bytes, 0, VsockHeader.SIZE) < VsockHeader.SIZE) {
                    queue.breakDown("a vsock packet without header");
                    return;
                }
                hear();
                queue.push(chain);
                if (++heard == BATCH) {
                    queues.schedule(TRANSMIT);
                    return;
                }
            }
        } while (refusals.size() < MAX_REFUSALS && queue.expectNotification());
    }

    /** One packet of the guest. One from or to somebody else goes nowhere, as at any host without such a guest. */
    private void hear() {
        if (header.sourceCid() != cid || header.destinationCid() != VsockHeader.HOST_CID) {
            return;
        }
        VsockConnection.Key key = new VsockConnection.Key(header.destinationPort(), header.sourcePort());
        VsockConnection connection = header.type() == VsockHeader.STREAM ? connections.get(key) : null;
        if (connection != null) {
            if (connection.received(header, chain, stage)) {
                enqueue(connection);
            } else {
                connections.remove(key);
                talking.remove(connection);
            }
        } else if (header.type() == VsockHeader.STREAM && header.operation() == VsockHeader.REQUEST) {
            call(key);
        } else if (header.operation() != VsockHeader.RST) {
            refusals.add(new Refusal(key, header.type()));
        }
    }

    private void call(VsockConnection.Key key) {
        HostSocket socket = sockets.connect(key.hostPort());
        if (socket == null) {
            refusals.add(new Refusal(key, VsockHeader.STREAM));
            return;
        }
        VsockConnection connection = VsockConnection.incoming(key, cid, socket, header);
        connections.put(key, connection);
        enqueue(connection);
    }

    private void talk(Virtqueue queue) {
        boolean full = refusals.size() >= MAX_REFUSALS;
        int said = 0;
        while (!refusals.isEmpty() || !talking.isEmpty()) {
            if (!queue.pop(chain)) {
                if (queue.expectNotification()) {
                    continue;
                }
                break;
            }
            if (chain.writable() <= VsockHeader.SIZE) {
                queue.breakDown("a receive buffer without room for data");
                return;
            }
            if (!say()) {
                queue.unpop(1);
                continue;
            }
            queue.push(chain);
            if (++said == BATCH) {
                queues.schedule(RECEIVE);
                break;
            }
        }
        if (full && refusals.size() < MAX_REFUSALS) {
            queues.schedule(TRANSMIT);
        }
    }

    /** Writes one packet. {@return false when the connection whose turn it was had nothing to say} */
    private boolean say() {
        Refusal refusal = refusals.poll();
        if (refusal != null) {
            header.toGuest(cid, refusal.key().hostPort(), refusal.key().guestPort(), refusal.type(), VsockHeader.RST);
            chain.write(header.bytes, 0, VsockHeader.SIZE);
            return true;
        }
        VsockConnection connection = talking.poll();
        connection.queued = false;
        boolean said = connection.write(header, chain, stage);
        if (connection.isOver()) {
            connections.remove(connection.key());
            connection.socket().finish();
        } else {
            enqueue(connection);
        }
        return said;
    }

    @Override
    public void close() {
        sockets.close();
    }
}
