package gunyah.hyp.trace;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Records of 64 bytes, the newest 2^n of them. Many writers, lock-free; one reader, at the same time.
 *
 * <p>A writer takes the next sequence number, claims that number's slot by its stamp, fills it and publishes it by the
 * stamp: {@code sequence + 1} when complete, negative while being written. A slot that another writer holds (it was
 * stopped for a whole round of the ring) is left alone: the reader finds the number missing and counts it as lost.
 */
final class TraceRing {
    private static final int WORDS_LOG2 = 3;
    private static final int NS = 1;
    private static final int WHAT = 2;
    private static final int A = 3;
    private static final int B = 4;
    private static final int C = 5;
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(TraceRing.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long[] words;
    private final int capacity;
    private volatile long head;
    /** Of the reader: the next sequence number it wants, and what it did not get. */
    private long next;
    private long lost;

    /** @param capacityLog2 records */
    TraceRing(int capacityLog2) {
        capacity = 1 << capacityLog2;
        words = new long[capacity << WORDS_LOG2];
    }

    void write(long ns, long what, long a, long b, long c) {
        long sequence = (long) HEAD.getAndAdd(this, 1L);
        int at = slot(sequence);
        long stamp = (long) WORD.getOpaque(words, at);
        if (stamp < 0 || stamp > sequence || !WORD.compareAndSet(words, at, stamp, -1L)) {
            return;
        }
        // The claim is seen before the fields; pairs with the fence in read.
        VarHandle.storeStoreFence();
        words[at + NS] = ns;
        words[at + WHAT] = what;
        words[at + A] = a;
        words[at + B] = b;
        words[at + C] = c;
        WORD.setRelease(words, at, sequence + 1);
    }

    private int slot(long sequence) {
        return (int) (sequence & capacity - 1) << WORDS_LOG2;
    }

    /**
     * Reads what is complete. By the reader only.
     *
     * @param last nobody writes any more: records that are missing will not come
     */
    void read(int pcpu, boolean last, TraceReader.Sink sink) {
        long end = head;
        if (end - next > capacity) {
            lost += end - capacity - next;
            next = end - capacity;
        }
        for (; next < end; next++) {
            int at = slot(next);
            long stamp = (long) WORD.getAcquire(words, at);
            if (stamp != next + 1) {
                if (stamp <= next && !last && end - next < capacity / 2) {
                    // being written: it comes with the next read
                    return;
                }
                lost++;
                continue;
            }
            long ns = words[at + NS];
            long what = words[at + WHAT];
            long a = words[at + A];
            long b = words[at + B];
            long c = words[at + C];
            VarHandle.loadLoadFence();
            if ((long) WORD.getOpaque(words, at) != stamp) {
                lost++;
                continue;
            }
            sink.take(TraceRecord.of(ns, pcpu, what, a, b, c));
        }
    }

    long lost() {
        return lost;
    }
}
