package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class MsgQueueTest {
    private static final Machine MACHINE = new Machine();
    private static final long BUFFER = Machine.RAM + 0x20_0000;
    private static final long NEVER_MAPPED = Machine.RAM + 0x300_0000;
    private static final long UNCHANGED = 0xFFFF_FFFFL;

    static {
        Machine.must(MACHINE.call(0x2B, MACHINE.rootSpaceCap, MACHINE.rootExtentCap, BUFFER, 0xF_0066L, 1, BUFFER,
                0x10_000));
        Machine.must(MACHINE.call(0x2B, MACHINE.rootSpaceCap, MACHINE.rootExtentCap, BUFFER + 0x10_000, 0xF_0044L, 1,
                BUFFER + 0x10_000, 0x1000));
    }

    private final long txVic = MACHINE.create(0x0A);
    private final long rxVic = MACHINE.create(0x0A);
    private final Machine.FakeVic tx = (Machine.FakeVic) MACHINE.object(txVic);
    private final Machine.FakeVic rx = (Machine.FakeVic) MACHINE.object(rxVic);

    MsgQueueTest() {
        Machine.must(MACHINE.call(0x0C, txVic, 0));
        Machine.must(MACHINE.call(0x0C, rxVic, 0));
    }

    @AfterAll
    static void stop() {
        MACHINE.close();
    }

    private long queue(int depth, int maxSize) {
        long queue = MACHINE.create(0x07);
        Machine.must(MACHINE.call(0x21, queue, depth | (long) maxSize << 16, 0));
        Machine.must(MACHINE.call(0x0C, queue, 0));
        Machine.must(MACHINE.call(0x17, queue, txVic, 40, 0));
        Machine.must(MACHINE.call(0x18, queue, rxVic, 41, 0));
        return queue;
    }

    private static long[] send(long queue, byte[] message, boolean push) {
        MACHINE.rootSpace.view().write(BUFFER, message, 0, message.length);
        return MACHINE.registers(0x1B, queue, message.length, BUFFER, push ? 1 : 0, 0);
    }

    private static long[] receive(long queue, byte[] target) {
        long[] x = MACHINE.registers(0x1C, queue, BUFFER + 0x2000, target.length, 0);
        if (x[0] == 0) {
            MACHINE.rootSpace.view().read(BUFFER + 0x2000, target, 0, (int) x[1]);
        }
        return x;
    }

    @Test
    @Invariant(4)
    void configurationLimitsAreStrict() {
        long queue = MACHINE.create(0x07);
        assertThat(MACHINE.call(0x0C, queue, 0)).isEqualTo(HypError.OBJECT_CONFIG.code());
        for (long bad : new long[] {0, 256 | 8L << 16, 8, 8 | 1024L << 16, 8 | 8L << 16 | 1L << 32}) {
            assertThat(MACHINE.call(0x21, queue, bad, 0)).isEqualTo(1);
        }
        Machine.must(MACHINE.call(0x21, queue, 255 | 1023L << 16, 0));
        Machine.must(MACHINE.call(0x0C, queue, 0));
        assertThat(MACHINE.call(0x21, queue, 8 | 8L << 16, 0)).isEqualTo(HypError.OBJECT_STATE.code());
        assertThat(MACHINE.call(0x1B, queue, 1024, BUFFER, 0, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(MACHINE.call(0x1B, queue, 0, BUFFER, 0, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(MACHINE.registers(0x1B, queue, 1023, BUFFER, 0, 0)).startsWith(0, 1);
    }

    @Test
    void theReceiverIsInterruptedAtTheCrossingAndTheSenderWhenAFullQueueGetsRoom() {
        long queue = queue(4, 16);
        byte[] message = {1};
        for (int i = 0; i < 4; i++) {
            assertThat(send(queue, message, false)).startsWith(0, i < 3 ? 1 : 0);
        }
        assertThat(send(queue, message, false)).startsWith(HypError.MSGQUEUE_FULL.code(), 0);
        assertThat(rx.edges).isEqualTo(1);
        for (int i = 0; i < 4; i++) {
            assertThat(receive(queue, new byte[16])).startsWith(0, 1, i < 3 ? 1 : 0);
        }
        assertThat(tx.edges).isEqualTo(1);
        assertThat(receive(queue, new byte[16])).startsWith(HypError.MSGQUEUE_EMPTY.code(), 0, 0);
        send(queue, message, false);
        send(queue, message, true);
        assertThat(rx.edges).isEqualTo(3);
        assertThat(rx.lastSource.checkPending(false)).isTrue();
    }

    @Test
    @Invariant(3)
    void aFailedCopyChangesNothing() {
        long queue = queue(2, 16);
        assertThat(MACHINE.registers(0x1B, queue, 8, NEVER_MAPPED, 0, 0))
                .startsWith(HypError.ADDR_INVALID.code(), 1);
        assertThat(MACHINE.registers(0x1B, queue, 8, -4, 0, 0)).startsWith(HypError.ADDR_OVERFLOW.code(), 1);
        assertThat(rx.edges).isZero();
        send(queue, new byte[] {7, 8, 9}, false);
        assertThat(MACHINE.registers(0x1C, queue, NEVER_MAPPED, 16, 0))
                .startsWith(HypError.ADDR_INVALID.code(), 0, 1);
        assertThat(MACHINE.registers(0x1C, queue, BUFFER + 0x10_000, 16, 0))
                .startsWith(HypError.DENIED.code(), 0, 1);
        assertThat(MACHINE.registers(0x1C, queue, BUFFER, 2, 0)).startsWith(HypError.ADDR_OVERFLOW.code(), 0, 1);
        byte[] got = new byte[3];
        assertThat(receive(queue, got)).startsWith(0, 3, 0);
        assertThat(got).containsExactly(7, 8, 9);
    }

    @Test
    @Invariant(6)
    void flushEmptiesAndLetsTheSenderProceed() {
        long queue = queue(2, 16);
        send(queue, new byte[] {1}, false);
        send(queue, new byte[] {2}, false);
        Machine.must(MACHINE.call(0x1D, queue, 0));
        assertThat(tx.edges).isEqualTo(1);
        assertThat(rx.clears).isEqualTo(1);
        Machine.must(MACHINE.call(0x1D, queue, 0));
        assertThat(tx.edges).isEqualTo(1);
        assertThat(receive(queue, new byte[4])).startsWith(HypError.MSGQUEUE_EMPTY.code());
        assertThat(send(queue, new byte[] {3}, false)).startsWith(0, 1);
    }

    @Test
    void thresholdsAreCheckedAndReevaluatedAtOnce() {
        long queue = queue(4, 16);
        assertThat(MACHINE.call(0x1F, queue, 4, UNCHANGED, -1)).isEqualTo(1);
        assertThat(MACHINE.call(0x1F, queue, 1, 5, -1)).isEqualTo(HypError.UNIMPLEMENTED.code());
        assertThat(MACHINE.call(0x1F, queue, 1, UNCHANGED, 0)).isEqualTo(1);
        assertThat(MACHINE.call(0x20, queue, 0, UNCHANGED, -1)).isEqualTo(1);
        assertThat(MACHINE.call(0x20, queue, 5, UNCHANGED, -1)).isEqualTo(1);
        Machine.must(MACHINE.call(0x1F, queue, UNCHANGED, UNCHANGED, -1));
        assertThat(tx.edges).isZero();
        Machine.must(MACHINE.call(0x1F, queue, 1, UNCHANGED, -1));
        assertThat(tx.edges).isEqualTo(1);
        Machine.must(MACHINE.call(0x20, queue, 0xFFFF_FFFEL, UNCHANGED, -1));
        assertThat(rx.edges + rx.clears).isZero();
        for (int i = 0; i < 3; i++) {
            send(queue, new byte[] {1}, false);
        }
        assertThat(rx.edges).isZero();
        Machine.must(MACHINE.call(0x20, queue, 2, UNCHANGED, -1));
        assertThat(rx.edges).isEqualTo(1);
        send(queue, new byte[] {1}, false);
        assertThat(rx.edges).isEqualTo(1);
    }

    @Test
    @Invariant({1, 2, 7})
    void randomTrafficMatchesAModel() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            int depth = 1 + random.nextInt(6);
            int max = 1 + random.nextInt(60);
            long queue = MACHINE.create(0x07);
            Machine.must(MACHINE.call(0x21, queue, depth | (long) max << 16, 0));
            Machine.must(MACHINE.call(0x0C, queue, 0));
            long vicCap = MACHINE.create(0x0A);
            Machine.must(MACHINE.call(0x0C, vicCap, 0));
            Machine.must(MACHINE.call(0x18, queue, vicCap, 41, 0));
            Machine.FakeVic vic = (Machine.FakeVic) MACHINE.object(vicCap);
            Deque<byte[]> model = new ArrayDeque<>();
            int crossings = 0;
            for (int step = 0; step < 300; step++) {
                if (random.nextInt(100) < 55) {
                    byte[] message = new byte[1 + random.nextInt(max)];
                    random.nextBytes(message);
                    boolean push = random.nextInt(8) == 0;
                    long[] x = send(queue, message, push);
                    if (model.size() == depth) {
                        assertThat(x).as("seed %d", seed).startsWith(HypError.MSGQUEUE_FULL.code(), 0);
                    } else {
                        model.add(message);
                        crossings += push || model.size() == 1 ? 1 : 0;
                        assertThat(x).as("seed %d", seed).startsWith(0, model.size() < depth ? 1 : 0);
                    }
                } else {
                    byte[] got = new byte[max];
                    long[] x = receive(queue, got);
                    if (model.isEmpty()) {
                        assertThat(x).as("seed %d", seed).startsWith(HypError.MSGQUEUE_EMPTY.code(), 0, 0);
                    } else {
                        byte[] expected = model.remove();
                        assertThat(x).as("seed %d", seed).startsWith(0, expected.length, model.isEmpty() ? 0 : 1);
                        assertThat(Arrays.copyOf(got, (int) x[1])).isEqualTo(expected);
                    }
                }
            }
            assertThat(vic.edges).as("seed %d", seed).isEqualTo(crossings);
        }
    }

    @Test
    @Invariant({1, 5})
    void aReceiverThatDrainsAndWaitsForItsInterruptGetsEveryMessageInOrder() throws Exception {
        long queue = queue(8, 240);
        Semaphore rxToken = new Semaphore(0);
        Semaphore txToken = new Semaphore(0);
        rx.onAssert = rxToken::release;
        tx.onAssert = txToken::release;
        int messages = 20_000;
        long out = BUFFER + 0x4000;
        long in = BUFFER + 0x6000;
        Thread sender = Thread.ofPlatform().start(() -> {
            byte[] message = new byte[240];
            for (int i = 0; i < messages; i++) {
                Arrays.fill(message, (byte) i);
                message[0] = (byte) (i >> 8);
                MACHINE.rootSpace.view().write(out, message, 0, 240);
                while (true) {
                    long[] x = MACHINE.registers(0x1B, queue, 240, out, 0, 0);
                    if (x[0] == 0) {
                        break;
                    }
                    assertThat(x[0]).isEqualTo(HypError.MSGQUEUE_FULL.code());
                    txToken.acquireUninterruptibly();
                }
            }
        });
        byte[] got = new byte[240];
        int next = 0;
        while (next < messages) {
            long[] x = MACHINE.registers(0x1C, queue, in, 240, 0);
            if (x[0] == HypError.MSGQUEUE_EMPTY.code()) {
                assertThat(rxToken.tryAcquire(60, TimeUnit.SECONDS)).as("lost wake-up at %d", next).isTrue();
                continue;
            }
            assertThat(x[0]).isZero();
            MACHINE.rootSpace.view().read(in, got, 0, 240);
            assertThat(got[1]).isEqualTo((byte) next);
            assertThat(got[0]).isEqualTo((byte) (next >> 8));
            assertThat(got[239]).isEqualTo((byte) next);
            next++;
        }
        sender.join();
    }
}
