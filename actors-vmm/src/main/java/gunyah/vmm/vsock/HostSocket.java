package gunyah.vmm.vsock;

import gunyah.vmm.net.ByteRing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A socket of a program of this computer, never blocking: what the program does not take waits in a bounded ring. A
 * program that calls the guest says {@code CONNECT PORT} in a line first. Owned by the device's loop.
 */
final class HostSocket {
    private static final String CONNECT = "CONNECT ";
    private static final int MAX_GREETING = 32;
    private static final long MAX_PORT = 0xffff_fffeL;

    private final UnixSockets sockets;
    private final SocketChannel channel;
    private final StringBuilder greeting = new StringBuilder();
    private SelectionKey key;
    private ByteRing toProgram;
    private VsockConnection connection;
    private boolean endOutput;
    private boolean closeWhenEmpty;

    HostSocket(UnixSockets sockets, SocketChannel channel) {
        this.sockets = sockets;
        this.channel = channel;
    }

    void key(SelectionKey registered) {
        key = registered;
    }

    /** {@return whose it is; null before a program said what it wants, and once the guest is done with it} */
    VsockConnection connection() {
        return connection;
    }

    void connection(VsockConnection owner) {
        connection = owner;
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    /** {@return the guest's port that the program asks for, -1 while its line is not complete} Closes a bad one. */
    long greeting() {
        ByteBuffer one = ByteBuffer.allocate(1);
        while (greeting.length() < MAX_GREETING) {
            int count = read(one.clear());
            if (count == 0) {
                return -1;
            }
            if (count < 0) {
                break;
            }
            char next = (char) one.get(0);
            greeting.append(next);
            if (next == '\n') {
                return port(greeting.toString().stripTrailing());
            }
        }
        close();
        return -1;
    }

    private long port(String line) {
        if (line.startsWith(CONNECT) && line.substring(CONNECT.length()).matches("[0-9]{1,10}")) {
            long port = Long.parseLong(line.substring(CONNECT.length()));
            if (port <= MAX_PORT) {
                return port;
            }
        }
        close();
        return -1;
    }

    /** Tells the program that the guest has taken its call. */
    void answer(int hostPort) {
        byte[] line = "OK %s\n".formatted(Integer.toUnsignedString(hostPort)).getBytes(StandardCharsets.US_ASCII);
        send(line, line.length);
    }

    /** {@return bytes read; 0 when there is nothing yet, which the socket then waits for; -1 at the end} */
    int read(ByteBuffer target) {
        try {
            int count = channel.read(target);
            if (count == 0) {
                sockets.arm(key, SelectionKey.OP_READ);
            }
            return count;
        } catch (IOException e) {
            close();
            return -1;
        }
    }

    /** Sends bytes, keeping what the program does not take. {@return how many it took} */
    int send(byte[] bytes, int length) {
        try {
            int done = waiting() > 0 ? 0 : channel.write(ByteBuffer.wrap(bytes, 0, length));
            if (done < length) {
                if (toProgram == null) {
                    toProgram = new ByteRing(VsockConnection.WINDOW);
                }
                toProgram.put(bytes, done, length - done);
                sockets.arm(key, SelectionKey.OP_WRITE);
            }
            return done;
        } catch (IOException e) {
            close();
            return 0;
        }
    }

    int waiting() {
        return toProgram == null ? 0 : toProgram.size();
    }

    /** Sends what waits. {@return how many bytes of it the program took} */
    int flush() {
        int before = waiting();
        if (before == 0) {
            return 0;
        }
        try {
            toProgram.writeTo(channel);
            if (waiting() > 0) {
                sockets.arm(key, SelectionKey.OP_WRITE);
            } else {
                emptied();
            }
        } catch (IOException e) {
            close();
        }
        return before - waiting();
    }

    private void emptied() throws IOException {
        if (closeWhenEmpty) {
            close();
        } else if (endOutput) {
            channel.shutdownOutput();
        }
    }

    /** The guest sends no more: the program reads the end once it has read all. */
    void endOutput() {
        endOutput = true;
        endWhenEmpty();
    }

    /** The guest is done with it: what waits is still sent. */
    void finish() {
        connection = null;
        closeWhenEmpty = true;
        endWhenEmpty();
    }

    private void endWhenEmpty() {
        if (waiting() == 0) {
            try {
                emptied();
            } catch (IOException e) {
                close();
            }
        }
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // nothing of it is of use any more
        }
        sockets.closed(this);
    }
}
