package gunyah.hyp.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TraceRingTest {
    private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

    @Test
    void recordsComeOutAsTheyWentIn() {
        TraceRing ring = new TraceRing(4);
        List<TraceRecord> read = new ArrayList<>();

        ring.write(7, TraceRecord.what(200, -1, -1, 255), 1, -2, Long.MIN_VALUE);
        ring.write(8, TraceRecord.what(1, 65_535, 511, 3), 0, 0, 0);
        ring.read(2, false, read::add);

        assertThat(read).containsExactly(new TraceRecord(7, 2, 200, -1, -1, 255, 1, -2, Long.MIN_VALUE),
                new TraceRecord(8, 2, 1, 65_535, 511, 3, 0, 0, 0));
        assertThat(ring.lost()).isZero();
    }

    @Test
    void theOldestAreOverwrittenAndCounted() {
        TraceRing ring = new TraceRing(4);
        List<Long> read = new ArrayList<>();

        for (long i = 0; i < 100; i++) {
            ring.write(i, 0, i, 0, 0);
        }
        ring.read(0, false, event -> read.add(event.a()));

        assertThat(read).hasSize(16).startsWith(84L).endsWith(99L);
        assertThat(ring.lost()).isEqualTo(84);
    }

    @Test
    void whatIsReadOnceIsNotReadAgain() {
        TraceRing ring = new TraceRing(4);
        List<Long> read = new ArrayList<>();
        for (long i = 0; i < 40; i++) {
            ring.write(i, 0, i, 0, 0);
            if (i % 3 == 0) {
                ring.read(0, false, event -> read.add(event.a()));
            }
        }

        assertThat(read).hasSize(40).isSorted();
        assertThat(ring.lost()).isZero();
    }

    /** Four writers lap a small ring under the reader: every record is whole, and read or counted as lost, never both. */
    @Test
    void writersAndTheReaderDoNotDisturbEachOther() throws InterruptedException {
        TraceRing ring = new TraceRing(6);
        int writers = 4;
        long each = 200_000;
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < writers; w++) {
            long writer = w;
            threads.add(Thread.ofPlatform().start(() -> {
                for (long i = 0; i < each; i++) {
                    ring.write(i, writer, i, (i ^ writer) * MIX, ~i);
                }
            }));
        }
        long[] newest = new long[writers];
        AtomicLong read = new AtomicLong();
        TraceReader.Sink check = event -> {
            int writer = event.kind();
            assertThat(event.b()).isEqualTo((event.a() ^ writer) * MIX);
            assertThat(event.c()).isEqualTo(~event.a());
            assertThat(event.ns()).isEqualTo(event.a()).isGreaterThanOrEqualTo(newest[writer]);
            newest[writer] = event.a() + 1;
            read.incrementAndGet();
        };
        while (threads.stream().anyMatch(Thread::isAlive)) {
            ring.read(0, false, check);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        ring.read(0, true, check);

        assertThat(read.get()).isPositive();
        assertThat(read.get() + ring.lost()).isEqualTo(writers * each);
    }

    @Test
    void aReaderMergesTheRingsByTimeAndHoldsBackWhatIsNotYetPast() {
        AtomicLong clock = new AtomicLong();
        TraceBuffer buffer = new TraceBuffer(2, clock::get, 4);
        TraceReader reader = buffer.reader();
        List<Long> read = new ArrayList<>();
        buffer.ring(1).write(30, 0, 30, 0, 0);
        buffer.ring(0).write(20, 0, 20, 0, 0);
        buffer.ring(2).write(10, 0, 10, 0, 0);
        clock.set(20);

        assertThat(reader.read(false, event -> read.add(event.a()))).isEqualTo(2);
        assertThat(reader.read(true, event -> read.add(event.a()))).isEqualTo(1);

        assertThat(read).containsExactly(10L, 20L, 30L);
    }

    @Test
    void theNewestTextsAreKept() {
        TraceBuffer buffer = new TraceBuffer(1, () -> 0, 4);
        int first = buffer.note("first");
        assertThat(buffer.note((long) first)).isEqualTo("first");
        for (int i = 0; i < 1024; i++) {
            buffer.note("more");
        }

        assertThat(buffer.note((long) first)).isEmpty();
    }
}
