package gunyah.rm.root;

import gunyah.hyp.HypercallPort;
import java.util.List;

/**
 * Where the root VM maps memory of an extent it holds a cap of, for the length of one call. No mapping outlives the
 * call, so what was checked here is what nobody else could write meanwhile, provided the extent is mapped nowhere else.
 */
public final class MemoryWindow {
    private static final long DEVICE_SPACE_HOLE = 0x1000_0000L;
    private static final long GIB = 1L << 30;

    private final Hypercalls hypercalls;
    private final HypercallPort port;
    private final Journal journal;
    private final long addrspace;
    private final long ipa;

    /**
     * @param addrspace cap of the root VM's address space
     * @param ramBase   lowest physical address of RAM, bytes
     * @param ramEnd    end of RAM
     */
    public MemoryWindow(Hypercalls hypercalls, HypercallPort port, Journal journal, long addrspace, long ramBase,
            long ramEnd) {
        this.hypercalls = hypercalls;
        this.port = port;
        this.journal = journal;
        this.addrspace = addrspace;
        // Above the interrupt controller and below RAM nothing of the root VM is mapped; without such a hole, above.
        this.ipa = ramBase >= 2 * DEVICE_SPACE_HOLE ? DEVICE_SPACE_HOLE : ramEnd + GIB - 1 & -GIB;
    }

    /** Reads bytes of an extent based at 0, range after range. */
    public byte[] read(long extent, List<PhysRange> ranges) {
        byte[] bytes = new byte[Math.toIntExact(ranges.stream().mapToLong(PhysRange::size).sum())];
        copy(extent, ranges, bytes, false);
        return bytes;
    }

    /** Writes as many bytes as {@code bytes} has, range after range. */
    public void write(long extent, List<PhysRange> ranges, byte[] bytes) {
        copy(extent, ranges, bytes, true);
    }

    private void copy(long extent, List<PhysRange> ranges, byte[] bytes, boolean write) {
        int done = 0;
        for (PhysRange range : ranges) {
            int length = (int) Math.min(range.size(), bytes.length - done);
            if (length == 0) {
                return;
            }
            long first = range.base() & -PhysRange.PAGE;
            long size = (range.base() + length + PhysRange.PAGE - 1 & -PhysRange.PAGE) - first;
            hypercalls.map(addrspace, extent, ipa, Hypercalls.MAP_RW, 0, first, size);
            try {
                if (write) {
                    port.write(ipa + (range.base() - first), bytes, done, length);
                } else {
                    port.read(ipa + (range.base() - first), bytes, done, length);
                }
            } finally {
                journal.surely(() -> hypercalls.unmap(addrspace, extent, ipa, 0, first, size));
            }
            done += length;
        }
    }
}
