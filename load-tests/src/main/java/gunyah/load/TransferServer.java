package gunyah.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A web server on loopback: it answers every GET with as many bytes, and throws away what is posted. It has one thread. */
public final class TransferServer implements AutoCloseable {
    /** What its thread is called. */
    static final String THREAD = "transfers";
    private static final int PIECE = 1 << 18;
    private static final String LENGTH = "content-length:";

    private final ServerSocket socket;
    private final long down;
    private final byte[] piece = new byte[PIECE];

    /** @param down bytes of each answer */
    public TransferServer(long down) {
        this.down = down;
        try {
            socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().name(THREAD).start(this::serve);
    }

    public int port() {
        return socket.getLocalPort();
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket peer = socket.accept()) {
                answer(new BufferedInputStream(peer.getInputStream()), peer.getOutputStream());
            } catch (IOException e) {
                // the peer has left, or there will be none
            }
        }
    }

    private void answer(InputStream in, OutputStream out) throws IOException {
        boolean get = false;
        long up = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            get |= line.startsWith("GET ");
            if (line.toLowerCase(java.util.Locale.ROOT).startsWith(LENGTH)) {
                up = Long.parseLong(line.substring(LENGTH.length()).strip());
            }
        }
        while (up > 0) {
            int count = in.read(piece);
            if (count < 0) {
                return;
            }
            up -= count;
        }
        long left = get ? down : 0;
        out.write("HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n".formatted(left).getBytes(US_ASCII));
        while (left > 0) {
            int count = (int) Math.min(left, PIECE);
            out.write(piece, 0, count);
            left -= count;
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            line.append((char) next);
        }
        return line.toString().strip();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
