package gunyah.rm.root;

import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/** Interrupt lines of one VM's VIC that the Resource Manager may hand out, lowest of the first range first. */
public final class VirqPool {
    /** First shared peripheral interrupt and the end of them. */
    public static final int SPI_BASE = 32;
    public static final int SPI_END = 1020;
    /** First extended shared peripheral interrupt and the end of them. */
    public static final int ESPI_BASE = 4096;
    public static final int ESPI_END = 5120;

    /** INTIDs {@code first .. end - 1}. */
    public record Range(int first, int end) {
    }

    private final List<Range> ranges;
    private final Set<Integer> fixed;
    private final BitSet taken = new BitSet(ESPI_END);

    public VirqPool(List<Range> ranges) {
        this(ranges, Set.of());
    }

    /** @param fixed INTIDs that are handed out to who asks for them only */
    public VirqPool(List<Range> ranges, Set<Integer> fixed) {
        this.ranges = List.copyOf(ranges);
        this.fixed = Set.copyOf(fixed);
    }

    /** {@return a free INTID} Throws NORESOURCE when there is none. */
    public int take() {
        for (Range range : ranges) {
            int intid = taken.nextClearBit(range.first);
            while (fixed.contains(intid)) {
                intid = taken.nextClearBit(intid + 1);
            }
            if (intid < range.end) {
                taken.set(intid);
                return intid;
            }
        }
        throw new RmFault(RmError.NORESOURCE);
    }

    /**
     * Takes a line the device tree fixes; any shared interrupt will do, also outside the ranges. Throws ARGUMENT_INVALID
     * for others and for one that is taken.
     *
     * @return {@code intid}
     */
    public int take(int intid) {
        boolean shared = intid >= SPI_BASE && intid < SPI_END || intid >= ESPI_BASE && intid < ESPI_END;
        if (!shared || taken.get(intid)) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        taken.set(intid);
        return intid;
    }

    public void giveBack(int intid) {
        taken.clear(intid);
    }

    /** {@return lines handed out now} */
    public int inUse() {
        return taken.cardinality();
    }
}
