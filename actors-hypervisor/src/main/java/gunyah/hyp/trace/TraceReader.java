package gunyah.hyp.trace;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Takes records out of a {@link TraceBuffer}, in the order of their time. The one reader; used by one thread. */
public final class TraceReader {
    /** Hears of each record. */
    @FunctionalInterface
    public interface Sink {
        void take(TraceRecord event);
    }

    private static final Comparator<TraceRecord> BY_TIME = Comparator.comparingLong(TraceRecord::ns);

    private final TraceBuffer buffer;
    private List<TraceRecord> held = new ArrayList<>();

    TraceReader(TraceBuffer buffer) {
        this.buffer = buffer;
    }

    /**
     * Reads what is there. A record whose writer was stopped between taking its time and writing may come after younger
     * ones.
     *
     * @param last nobody writes any more
     * @return how many
     */
    public int read(boolean last, Sink sink) {
        // Younger ones may have older neighbours in a ring that was read before.
        long untilNs = last ? Long.MAX_VALUE : buffer.now();
        List<TraceRecord> found = held;
        for (int i = 0; i <= buffer.pcpus(); i++) {
            buffer.ring(i).read(i < buffer.pcpus() ? i : -1, last, found::add);
        }
        found.sort(BY_TIME);
        int count = 0;
        while (count < found.size() && found.get(count).ns() <= untilNs) {
            sink.take(found.get(count++));
        }
        held = new ArrayList<>(found.subList(count, found.size()));
        return count;
    }

    /** {@return records that were overwritten before they could be read} */
    public long lost() {
        long lost = 0;
        for (int i = 0; i <= buffer.pcpus(); i++) {
            lost += buffer.ring(i).lost();
        }
        return lost;
    }
}
