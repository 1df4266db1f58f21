package gunyah.vmm.vsock;

import gunyah.vmm.virtio.DescriptorChain;
import java.nio.ByteBuffer;

/**
 * One stream between a port of the guest and a socket of this computer, with credit in both directions (virtio 1.2,
 * 5.10.6.3 and 5.10.6.6). What is to be told to the guest are bits, so that it takes no memory while the guest has no
 * buffers. Owned by the device's loop.
 */
final class VsockConnection {
    /** Bytes that the guest may send before the program takes some. */
    static final int WINDOW = 128 << 10;
    /** The guest hears of room when it had used up so much. */
    private static final int TELL_AFTER = WINDOW / 2;

    private static final int SAY_REQUEST = 1;
    private static final int SAY_RESPONSE = 2;
    private static final int SAY_RST = 4;
    private static final int SAY_SHUTDOWN = 8;
    private static final int SAY_CREDIT = 16;
    private static final int ASK_CREDIT = 32;

    /** Both ports, which name the connection. */
    record Key(int hostPort, int guestPort) {
    }

    private final Key key;
    private final long guestCid;
    private final HostSocket socket;
    /** Not yet answered by the guest. */
    private boolean calling;
    private boolean readable;
    private boolean hostEnded;
    private int guestEnded;
    private int say;
    private boolean asked;
    /** Bytes sent to the guest, what it took of them and has room for; modulo 2^32. */
    private int sent;
    private int guestTaken;
    private int guestWindow;
    /** Bytes received, how many of them the program took, and what the guest knows of that. */
    private int received;
    private int taken;
    private int told;
    /** Whether it waits for its turn to say something to the guest. */
    boolean queued;

    private VsockConnection(Key key, long guestCid, HostSocket socket) {
        this.key = key;
        this.guestCid = guestCid;
        this.socket = socket;
        socket.connection(this);
    }

    /** A program calls the guest. */
    static VsockConnection outgoing(Key key, long guestCid, HostSocket socket) {
        VsockConnection connection = new VsockConnection(key, guestCid, socket);
        connection.calling = true;
        connection.say = SAY_REQUEST;
        return connection;
    }

    /** The guest called a program, which listens. */
    static VsockConnection incoming(Key key, long guestCid, HostSocket socket, VsockHeader request) {
        VsockConnection connection = new VsockConnection(key, guestCid, socket);
        connection.say = SAY_RESPONSE;
        connection.readable = true;
        connection.credit(request);
        return connection;
    }

    Key key() {
        return key;
    }

    HostSocket socket() {
        return socket;
    }

    private int room() {
        int room = guestWindow - (sent - guestTaken);
        return Math.max(0, room);
    }

    private boolean mayRead() {
        return readable && !calling && !hostEnded && (guestEnded & VsockHeader.NO_RECEIVE) == 0;
    }

    /** {@return whether there is something to say to the guest} */
    boolean hasWork() {
        return say != 0 || mayRead() && (room() > 0 || !asked);
    }

    /** The guest says something. {@return false when the connection is over with it} Data is still in {@code chain}. */
    boolean received(VsockHeader header, DescriptorChain chain, byte[] stage) {
        credit(header);
        if (isOver() && header.operation() != VsockHeader.RST) {
            return true;
        }
        switch (header.operation()) {
            case VsockHeader.RESPONSE -> answered();
            case VsockHeader.RW -> data(header, chain, stage);
            case VsockHeader.SHUTDOWN -> shutdown(header.flags());
            case VsockHeader.CREDIT_UPDATE -> { }
            case VsockHeader.CREDIT_REQUEST -> say |= SAY_CREDIT;
            case VsockHeader.RST -> {
                socket.finish();
                return false;
            }
            default -> reset();
        }
        if (!socket.isOpen()) {
            reset();
        }
        return true;
    }

    private void answered() {
        if (calling) {
            calling = false;
            readable = true;
            socket.answer(key.hostPort());
        } else {
            reset();
        }
    }

    private void credit(VsockHeader header) {
        guestWindow = header.window();
        guestTaken = header.taken();
        asked &= room() == 0;
    }

    private void data(VsockHeader header, DescriptorChain chain, byte[] stage) {
        int window = WINDOW - (received - taken);
        if (calling || (guestEnded & VsockHeader.NO_SEND) != 0 || header.length() > window
                || header.length() > chain.readable()) {
            reset();
            return;
        }
        received += (int) header.length();
        int left = (int) header.length();
        while (left > 0 && socket.isOpen()) {
            int count = chain.read(stage, 0, Math.min(left, stage.length));
            taken += socket.send(stage, count);
            left -= count;
        }
        tellRoom();
    }

    private void tellRoom() {
        if (taken - told >= TELL_AFTER) {
            say |= SAY_CREDIT;
        }
    }

    /** A guest that neither sends nor receives any more waits for the confirmation. */
    private void shutdown(int flags) {
        int before = guestEnded;
        guestEnded |= flags & (VsockHeader.NO_RECEIVE | VsockHeader.NO_SEND);
        if (guestEnded == (VsockHeader.NO_RECEIVE | VsockHeader.NO_SEND)) {
            reset();
        } else if ((guestEnded & ~before & VsockHeader.NO_SEND) != 0) {
            socket.endOutput();
        }
    }

    /** Ends it at the guest; what the guest sent before still reaches the program. */
    void reset() {
        say = SAY_RST;
        hostEnded = true;
    }

    /** The socket has something to read or room again. */
    void hostReady() {
        taken += socket.flush();
        readable = true;
        tellRoom();
        if (!socket.isOpen()) {
            reset();
        }
    }

    /**
     * Writes one packet for the guest. {@code chain} has room for more than a header.
     *
     * @return whether there was one; {@link #isOver} tells whether it was the last
     */
    boolean write(VsockHeader header, DescriptorChain chain, byte[] stage) {
        if ((say & SAY_RST) != 0) {
            return write(header, chain, VsockHeader.RST, 0);
        }
        if ((say & SAY_REQUEST) != 0) {
            say &= ~SAY_REQUEST;
            return write(header, chain, VsockHeader.REQUEST, 0);
        }
        if ((say & SAY_RESPONSE) != 0) {
            say &= ~SAY_RESPONSE;
            return write(header, chain, VsockHeader.RESPONSE, 0);
        }
        if (mayRead() && room() > 0 && writeData(header, chain, stage)) {
            return true;
        }
        if (mayRead() && room() == 0 && !asked) {
            asked = true;
            say |= ASK_CREDIT;
        }
        if ((say & SAY_SHUTDOWN) != 0) {
            say &= ~SAY_SHUTDOWN;
            return write(header, chain, VsockHeader.SHUTDOWN, VsockHeader.NO_SEND);
        }
        if ((say & ASK_CREDIT) != 0) {
            say &= ~ASK_CREDIT;
            return write(header, chain, VsockHeader.CREDIT_REQUEST, 0);
        }
        return (say & SAY_CREDIT) != 0 && write(header, chain, VsockHeader.CREDIT_UPDATE, 0);
    }

    private boolean writeData(VsockHeader header, DescriptorChain chain, byte[] stage) {
        int most = (int) Math.min(Math.min(room(), stage.length), chain.writable() - VsockHeader.SIZE);
        int count = socket.read(ByteBuffer.wrap(stage, 0, most));
        if (count > 0) {
            sent += count;
            packet(header, VsockHeader.RW).length(count);
            chain.write(header.bytes, 0, VsockHeader.SIZE);
            chain.write(stage, 0, count);
            return true;
        }
        readable = false;
        if (count < 0) {
            hostEnded = true;
            say |= SAY_SHUTDOWN;
        }
        return false;
    }

    private boolean write(VsockHeader header, DescriptorChain chain, int operation, int flags) {
        packet(header, operation).flags(flags);
        chain.write(header.bytes, 0, VsockHeader.SIZE);
        return true;
    }

    private VsockHeader packet(VsockHeader header, int operation) {
        told = taken;
        say &= ~SAY_CREDIT;
        return header.toGuest(guestCid, key.hostPort(), key.guestPort(), VsockHeader.STREAM, operation)
                .credit(WINDOW, taken);
    }

    /** {@return whether the guest was told that the connection is over} */
    boolean isOver() {
        return (say & SAY_RST) != 0;
    }
}
