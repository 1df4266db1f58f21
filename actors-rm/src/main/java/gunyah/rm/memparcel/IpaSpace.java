package gunyah.rm.memparcel;

import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.Map;
import java.util.TreeMap;

/** Which IPAs of a VM are taken, first fit from low addresses (address_range_allocator.c). Bytes, page granularity. */
public final class IpaSpace {
    private final long end;
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    /** @param end first address beyond the space */
    public IpaSpace(long end) {
        this.end = end;
    }

    /** Takes exactly this range. Throws NORESOURCE when any of it is taken or outside. */
    public void take(long base, long size) {
        if (base < 0 || size <= 0 || size > end || base > end - size || overlaps(base, size)) {
            throw new RmFault(RmError.NORESOURCE);
        }
        taken.put(base, base + size);
    }

    /** {@return the base of a free range of this size and power-of-two alignment, taken now} */
    public long takeFirst(long size, long alignment) {
        long at = 0;
        for (Map.Entry<Long, Long> range : taken.entrySet()) {
            if (at + size <= range.getKey()) {
                break;
            }
            at = Math.max(at, range.getValue() + alignment - 1 & -alignment);
        }
        take(at, size);
        return at;
    }

    /** Gives back a range that was taken as one. */
    public void giveBack(long base) {
        taken.remove(base);
    }

    private boolean overlaps(long base, long size) {
        Map.Entry<Long, Long> before = taken.lowerEntry(base + size);
        return before != null && before.getValue() > base;
    }
}
