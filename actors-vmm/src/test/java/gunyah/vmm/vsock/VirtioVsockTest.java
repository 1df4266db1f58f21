package gunyah.vmm.vsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.config.VsockConfig;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sockets as the guest's driver and programs here see them. The device's work runs in the test's thread. */
class VirtioVsockTest {
    private static final int CID = 7;
    private static final int REQUEST = 1;
    private static final int RESPONSE = 2;
    private static final int RST = 3;
    private static final int SHUTDOWN = 4;
    private static final int RW = 5;
    private static final int CREDIT_UPDATE = 6;
    private static final int CREDIT_REQUEST = 7;
    private static final long SECONDS = 60;

    /** A packet for the guest. */
    private record Packet(int hostPort, int guestPort, int type, int operation, int flags, int window, int taken,
            byte[] data) {
        String text() {
            return new String(data, StandardCharsets.US_ASCII);
        }
    }

    @TempDir
    private Path directory;
    private Path path;
    private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
    private TestDriver driver;
    private int room = 1 << 20;
    private int taken;
    private long buffer = -1;

    @BeforeEach
    void start() {
        path = directory.resolve("s");
        driver = new TestDriver(new VirtioVsock(new VsockConfig(CID, path)), work::add).start(0);
        runAll();
    }

    @AfterEach
    void close() {
        driver.transport.close();
        runAll();
        assertThat(path).doesNotExist();
    }

    private void runAll() {
        for (Runnable next = work.poll(); next != null; next = work.poll()) {
            next.run();
        }
    }

    private boolean runNext(long milliseconds) {
        try {
            Runnable next = work.poll(milliseconds, TimeUnit.MILLISECONDS);
            if (next != null) {
                next.run();
            }
            return next != null;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private byte[] header(long source, long destination, int hostPort, int guestPort, int type, int operation,
            int flags, int length) {
        byte[] header = new byte[44];
        Bits.le64(header, 0, source);
        Bits.le64(header, 8, destination);
        Bits.le32(header, 16, guestPort);
        Bits.le32(header, 20, hostPort);
        Bits.le32(header, 24, length);
        Bits.le16(header, 28, type);
        Bits.le16(header, 30, operation);
        Bits.le32(header, 32, flags);
        Bits.le32(header, 36, room);
        Bits.le32(header, 40, taken);
        return header;
    }

    private void send(int hostPort, int guestPort, int operation, int flags, byte[] data) {
        send(header(CID, 2, hostPort, guestPort, 1, operation, flags, data.length), data);
    }

    private void send(byte[] header, byte[] data) {
        if (data.length == 0) {
            driver.chain(1, 0, Part.out(header));
        } else {
            driver.chain(1, 0, Part.out(header), Part.out(data));
        }
        driver.notify(1);
        runAll();
        assertThat(driver.used(1)).isEqualTo(1);
    }

    private void send(int hostPort, int guestPort, int operation) {
        send(hostPort, guestPort, operation, 0, new byte[0]);
    }

    /** Gives the device a buffer, if it has none. {@return the next packet; null when there is none in that time} */
    private Packet receive(long milliseconds) {
        if (buffer < 0) {
            buffer = driver.chain(0, 0, Part.in(4096)).getFirst();
            driver.notify(0);
            runAll();
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
        while (driver.used(0) == 0) {
            if (!runNext(Math.max(0, (deadline - System.nanoTime()) / 1_000_000)) && System.nanoTime() > deadline) {
                return null;
            }
        }
        byte[] bytes = driver.memory.copy(buffer, driver.usedLength(0));
        buffer = -1;
        assertThat(Bits.le64(bytes, 0)).isEqualTo(2);
        assertThat(Bits.le64(bytes, 8)).isEqualTo(CID);
        assertThat(Bits.le32(bytes, 24)).isEqualTo(bytes.length - 44);
        return new Packet(Bits.le32(bytes, 16), Bits.le32(bytes, 20), Bits.le16(bytes, 28), Bits.le16(bytes, 30),
                Bits.le32(bytes, 32), Bits.le32(bytes, 36), Bits.le32(bytes, 40),
                Arrays.copyOfRange(bytes, 44, bytes.length));
    }

    private Packet expect(int operation) {
        Packet packet = receive(SECONDS * 1000);
        assertThat(packet).as("a packet").isNotNull();
        assertThat(packet.operation()).isEqualTo(operation);
        return packet;
    }

    private void expectNothing() {
        assertThat(receive(20)).isNull();
    }

    private SocketChannel program() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    private static void write(SocketChannel channel, String text) throws IOException {
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private static String read(SocketChannel channel, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            Thread.onSpinWait();
        }
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }

    /** Lets the device work until a channel that does not block is at its end; what comes before is read. */
    private void awaitEnd(SocketChannel channel, ByteBuffer read) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        try {
            while (channel.read(read) >= 0) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                runNext(1);
            }
        } catch (IOException reset) {
            // So is told that nobody read what the program sent.
            assertThat(read.position()).as("%s", reset).isZero();
        }
    }

    private ServerSocketChannel listener(int port) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path + "_" + port));
    }

    /** A program that called port 1234 of the guest, and was taken. */
    private SocketChannel calledGuest() throws IOException {
        SocketChannel program = program();
        write(program, "CONNECT 1234\n");
        Packet request = expect(REQUEST);
        assertThat(request.guestPort()).isEqualTo(1234);
        assertThat(request.type()).isEqualTo(1);
        assertThat(request.window()).isEqualTo(VsockConnection.WINDOW);
        assertThat(request.hostPort()).isEqualTo(1 << 30);
        send(request.hostPort(), 1234, RESPONSE);
        assertThat(read(program, 14)).isEqualTo("OK 1073741824\n");
        return program;
    }

    @Test
    void tellsTheGuestItsAddress() {
        assertThat(driver.transport.read(0x100, 4)).isEqualTo(CID);
        assertThat(driver.transport.read(0x104, 4)).isZero();
    }

    @Test
    void aProgramCallsTheGuest() throws IOException {
        try (SocketChannel program = calledGuest()) {
            send(1 << 30, 1234, RW, 0, "hello".getBytes(StandardCharsets.US_ASCII));
            assertThat(read(program, 5)).isEqualTo("hello");
            write(program, "world");
            Packet data = expect(RW);
            assertThat(data.text()).isEqualTo("world");
            assertThat(data.taken()).isEqualTo(5);
        }
        assertThat(expect(SHUTDOWN).flags()).isEqualTo(2);
        send(1 << 30, 1234, SHUTDOWN, 3, new byte[0]);
        expect(RST);
        expectNothing();
    }

    @Test
    void theGuestCallsAProgramAndEitherSideMayEndFirst() throws IOException {
        try (ServerSocketChannel listener = listener(77)) {
            send(77, 1024, REQUEST);
            SocketChannel program = listener.accept();
            assertThat(expect(RESPONSE).hostPort()).isEqualTo(77);

            send(77, 1024, RW, 0, "last words".getBytes(StandardCharsets.US_ASCII));
            send(77, 1024, SHUTDOWN, 2, new byte[0]);
            assertThat(read(program, 100)).isEqualTo("last words");
            write(program, "still here");
            assertThat(expect(RW).text()).isEqualTo("still here");

            send(77, 1024, SHUTDOWN, 1, new byte[0]);
            assertThat(expect(RST).guestPort()).isEqualTo(1024);
            program.close();
        }
    }

    @Test
    void refusesWhatNobodyWaitsFor() {
        send(99, 1024, REQUEST);
        assertThat(expect(RST).hostPort()).isEqualTo(99);
        for (int operation : new int[] {RESPONSE, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST, 0, 8, 0xffff}) {
            send(50, operation, operation);
            assertThat(expect(RST).guestPort()).isEqualTo(operation);
        }
        send(header(CID, 2, 1, 2, 2, REQUEST, 0, 0), new byte[0]);
        assertThat(expect(RST).type()).isEqualTo(2);

        send(99, 1024, RST);
        send(header(CID, 3, 1, 2, 1, REQUEST, 0, 0), new byte[0]);
        send(header(CID + 1, 2, 1, 2, 1, REQUEST, 0, 0), new byte[0]);
        expectNothing();
    }

    @Test
    void theGuestRefusesAProgram() throws IOException {
        try (SocketChannel program = program()) {
            write(program, "CONNECT 5\n");
            send(expect(REQUEST).hostPort(), 5, RST);
            assertThat(program.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void aProgramThatAsksForNoPortIsLeft() throws IOException {
        for (String line : new String[] {"GET / HTTP/1.0\n", "CONNECT\n", "CONNECT -1\n", "CONNECT 4294967295\n",
            "CONNECT 1234567890123456789012345678901234567890"}) {
            try (SocketChannel program = program()) {
                write(program, line);
                expectNothing();
                program.configureBlocking(false);
                awaitEnd(program, ByteBuffer.allocate(1));
            }
        }
    }

    @Test
    void sendsNoMoreThanTheGuestHasRoomFor() throws IOException {
        room = 100;
        try (SocketChannel program = calledGuest()) {
            write(program, "x".repeat(250));

            assertThat(expect(RW).data()).hasSize(100);
            expect(CREDIT_REQUEST);
            expectNothing();
            taken = 60;
            send(1 << 30, 1234, CREDIT_UPDATE);
            assertThat(expect(RW).data()).hasSize(60);
            expect(CREDIT_REQUEST);
            taken = 160;
            send(1 << 30, 1234, CREDIT_UPDATE);
            assertThat(expect(RW).data()).hasSize(90);
            send(1 << 30, 1234, CREDIT_REQUEST);
            assertThat(expect(CREDIT_UPDATE).window()).isEqualTo(VsockConnection.WINDOW);
        }
    }

    /** The program reads only when the guest may send no more, and loses nothing. */
    @Test
    void theGuestWaitsForAProgramThatDoesNotRead() throws IOException {
        byte[] data = new byte[600_000];
        new Random(4).nextBytes(data);
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        try (SocketChannel program = calledGuest()) {
            program.configureBlocking(false);
            int sent = 0;
            int known = 0;
            int stops = 0;
            while (sent < data.length) {
                int count = Math.min(Math.min(16_384, data.length - sent), VsockConnection.WINDOW - (sent - known));
                if (count > 0) {
                    send(1 << 30, 1234, RW, 0, Arrays.copyOfRange(data, sent, sent + count));
                    sent += count;
                    continue;
                }
                Packet update = receive(50);
                if (update == null) {
                    stops++;
                    ByteBuffer some = ByteBuffer.allocate(50_000);
                    program.read(some);
                    got.write(some.array(), 0, some.position());
                } else {
                    known = update.taken();
                }
            }
            assertThat(stops).as("times the guest had no credit").isPositive();
            send(1 << 30, 1234, SHUTDOWN, 3, new byte[0]);
            expectRst();
            ByteBuffer rest = ByteBuffer.allocate(1 << 20);
            awaitEnd(program, rest);
            assertThat(got.size() + rest.position()).isEqualTo(data.length);
            assertThat(Arrays.copyOf(rest.array(), rest.position()))
                    .isEqualTo(Arrays.copyOfRange(data, got.size(), data.length));
        }
    }

    private void expectRst() {
        Packet packet = receive(SECONDS * 1000);
        while (packet != null && packet.operation() == CREDIT_UPDATE) {
            packet = receive(SECONDS * 1000);
        }
        assertThat(packet).isNotNull().extracting(Packet::operation).isEqualTo(RST);
    }

    @Test
    void aGuestThatSendsMoreThanItMayIsCutOff() throws IOException {
        try (SocketChannel program = calledGuest()) {
            send(header(CID, 2, 1 << 30, 1234, 1, RW, 0, VsockConnection.WINDOW + 1), new byte[100]);
            expect(RST);
            assertThat(program.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            send(1 << 30, 1234, RW, 0, new byte[1]);
            expect(RST);
        }
        try (SocketChannel program = program()) {
            write(program, "CONNECT 9\n");
            int port = expect(REQUEST).hostPort();
            send(header(CID, 2, port, 9, 1, RW, 0, 50), new byte[10]);
            expect(RST);
        }
        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void theGuestHearsAgainBeforeItIsListenedTo() {
        int heard = 0;
        for (int i = 0; i < 10; i++) {
            for (int k = 0; k < 16; k++) {
                driver.chain(1, k, Part.out(header(CID, 2, i, k, 1, RW, 0, 0)));
            }
            driver.notify(1);
            runAll();
            int now = driver.used(1);
            heard += now;
            if (now < 16) {
                break;
            }
        }
        assertThat(heard).isEqualTo(64);
        for (int i = 0; i < 80; i++) {
            assertThat(expect(RST).hostPort()).isEqualTo(i / 16);
        }
        assertThat(driver.used(1)).isEqualTo(16);
        expectNothing();
    }

    @Test
    void packetsWithoutHeaderAndBuffersWithoutRoomBreakTheDevice() {
        driver.chain(1, 0, Part.out(new byte[43]));
        driver.notify(1);
        runAll();
        assertThat(driver.isBroken()).isTrue();

        driver.start(0);
        runAll();
        driver.chain(0, 0, Part.in(44));
        send(99, 1024, REQUEST);
        assertThat(driver.isBroken()).isTrue();
    }

    @Test
    void aResetOfTheDriverEndsItsConnections() throws IOException {
        try (SocketChannel program = calledGuest()) {
            driver.start(0);
            runAll();
            assertThat(program.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
        buffer = -1;
        calledAgain();
    }

    private void calledAgain() throws IOException {
        try (SocketChannel program = program()) {
            write(program, "CONNECT 1\n");
            send(expect(REQUEST).hostPort(), 1, RESPONSE);
            assertThat(read(program, 3)).isEqualTo("OK ");
        }
    }

    @Test
    void asManyProgramsAsThereIsRoomForMayCall() throws IOException {
        SocketChannel[] programs = new SocketChannel[40];
        for (int i = 0; i < programs.length; i++) {
            programs[i] = program();
            write(programs[i], "CONNECT %d\n".formatted(i));
        }
        boolean[] called = new boolean[programs.length];
        for (int i = 0; i < programs.length; i++) {
            called[expect(REQUEST).guestPort()] = true;
        }
        assertThat(called).doesNotContain(false);
        for (SocketChannel program : programs) {
            program.close();
        }
    }

    @Test
    void aSocketInUseIsNotTakenAndAnAbandonedOneIs() throws IOException {
        assertThatThrownBy(() -> new VirtioVsock(new VsockConfig(8, path))).isInstanceOf(BadInput.class)
                .hasMessageContaining(path.toString());
        Path abandoned = directory.resolve("abandoned");
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(abandoned)).close();
        VirtioVsock second = new VirtioVsock(new VsockConfig(8, abandoned));
        second.close();
        assertThat(abandoned).doesNotExist();

        Path file = Files.writeString(directory.resolve("file"), "precious");
        assertThatThrownBy(() -> new VirtioVsock(new VsockConfig(8, file))).isInstanceOf(BadInput.class);
        assertThat(file).content().isEqualTo("precious");
        assertThatThrownBy(() -> new VirtioVsock(new VsockConfig(8, directory.resolve("x".repeat(100)))))
                .isInstanceOf(BadInput.class).hasMessageContaining("too long");
    }
}
