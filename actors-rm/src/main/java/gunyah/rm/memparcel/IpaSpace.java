package gunyah.rm.memparcel;

import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.Map;
import java.util.TreeMap;

/** Which IPAs of a VM are free, first fit from low addresses (address_range_allocator.c). Bytes, page granularity. */
public final class IpaSpace {
    private final long end;
    /** Base to end of each free range; none touch. */
    private final TreeMap<Long, Long> free = new TreeMap<>();

    /** @param end first address beyond the space */
    public IpaSpace(long end) {
        this.end = end;
        free.put(0L, end);
    }

    /** Takes exactly this range. Throws NORESOURCE when any of it is taken or outside. */
    public void take(long base, long size) {
        if (!has(base, size)) {
            throw new RmFault(RmError.NORESOURCE);
        }
        Map.Entry<Long, Long> range = free.floorEntry(base);
        free.remove(range.getKey());
        put(range.getKey(), base);
        put(base + size, range.getValue());
    }

    /** {@return whether all of this range is inside and free} */
    boolean has(long base, long size) {
        Map.Entry<Long, Long> range = free.floorEntry(base);
        return base >= 0 && size > 0 && size <= end && range != null && base <= range.getValue() - size;
    }

    /** {@return first address beyond the space} */
    public long end() {
        return end;
    }

    /** {@return the base of a free range of this size and power-of-two alignment, taken now} */
    public long takeFirst(long size, long alignment) {
        return takeFirst(0, end, size, alignment);
    }

    /** As above, inside {@code from .. to - 1}. */
    public long takeFirst(long from, long to, long size, long alignment) {
        long base = findFirst(from, to, size, alignment);
        take(base, size);
        return base;
    }

    /** {@return the range {@link #takeFirst} would take} */
    long findFirst(long from, long to, long size, long alignment) {
        for (Map.Entry<Long, Long> range : free.entrySet()) {
            long base = Math.max(range.getKey(), from) + alignment - 1 & -alignment;
            if (size > 0 && base <= Math.min(range.getValue(), to) - size) {
                return base;
            }
        }
        throw new RmFault(RmError.NORESOURCE);
    }

    /** Gives back what was taken. */
    public void giveBack(long base, long size) {
        Map.Entry<Long, Long> before = free.floorEntry(base);
        long from = before != null && before.getValue() == base ? before.getKey() : base;
        Long after = free.remove(base + size);
        free.put(from, after != null ? after : base + size);
    }

    /** {@return bytes that are free} */
    public long available() {
        return free.entrySet().stream().mapToLong(range -> range.getValue() - range.getKey()).sum();
    }

    private void put(long from, long to) {
        if (from < to) {
            free.put(from, to);
        }
    }
}
