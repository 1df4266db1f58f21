package gunyah.hyp.addrspace;

import gunyah.hyp.HypError;
import gunyah.hyp.StateText;
import java.util.Arrays;

/**
 * The VMMIO and PRIVATE ranges of an address space: immutable, sorted, disjoint within a kind, at most
 * {@link #LIMIT} together. Replaced as a whole by the address space actor, read by everybody.
 */
final class IpaRanges {
    /** Ranges of both kinds together. */
    static final int LIMIT = 128;

    static final IpaRanges EMPTY = new IpaRanges(new long[0], new long[0]);

    /** What adding or removing gave: new ranges with OK, or the old ones with the reason. */
    record Change(HypError error, IpaRanges ranges) {
    }

    private final long[] vmmio;
    private final long[] isolated;

    private IpaRanges(long[] vmmio, long[] isolated) {
        this.vmmio = vmmio;
        this.isolated = isolated;
    }

    int count() {
        return (vmmio.length + isolated.length) / 2;
    }

    boolean insideVmmio(long base, long size) {
        return indexOfHolder(vmmio, base, size) >= 0;
    }

    boolean insidePrivate(long base, long size) {
        return indexOfHolder(isolated, base, size) >= 0;
    }

    Change addVmmio(long base, long size) {
        return add(vmmio, isolated, base, size, true);
    }

    Change addPrivate(long base, long size) {
        return add(isolated, vmmio, base, size, false);
    }

    Change removeVmmio(long base, long size) {
        return remove(vmmio, base, size, true);
    }

    Change removePrivate(long base, long size) {
        return remove(isolated, base, size, false);
    }

    private Change add(long[] same, long[] other, long base, long size, boolean toVmmio) {
        if (indexOfHolder(same, base, size) >= 0) {
            return new Change(HypError.BUSY, this);
        }
        if (overlaps(same, base, size) || overlaps(other, base, size)) {
            return new Change(HypError.ARGUMENT_INVALID, this);
        }
        if (count() >= LIMIT) {
            return new Change(HypError.NORESOURCES, this);
        }
        int at = 0;
        while (at < same.length && same[at] < base) {
            at += 2;
        }
        long[] grown = new long[same.length + 2];
        System.arraycopy(same, 0, grown, 0, at);
        grown[at] = base;
        grown[at + 1] = base + size;
        System.arraycopy(same, at, grown, at + 2, same.length - at);
        return new Change(HypError.OK, with(grown, toVmmio));
    }

    private Change remove(long[] same, long base, long size, boolean fromVmmio) {
        for (int i = 0; i < same.length; i += 2) {
            if (same[i] == base && same[i + 1] == base + size) {
                long[] shrunk = Arrays.copyOf(same, same.length - 2);
                System.arraycopy(same, i + 2, shrunk, i, same.length - i - 2);
                return new Change(HypError.OK, with(shrunk, fromVmmio));
            }
        }
        return new Change(HypError.ARGUMENT_INVALID, this);
    }

    private IpaRanges with(long[] changed, boolean isVmmio) {
        return isVmmio ? new IpaRanges(changed, isolated) : new IpaRanges(vmmio, changed);
    }

    void describe(StateText text) {
        for (int i = 0; i < vmmio.length; i += 2) {
            text.run("vmmio", vmmio[i], vmmio[i + 1] - vmmio[i], 0, 0);
        }
        for (int i = 0; i < isolated.length; i += 2) {
            text.run("private", isolated[i], isolated[i + 1] - isolated[i], 0, 0);
        }
    }

    private static int indexOfHolder(long[] ranges, long base, long size) {
        int low = 0;
        int high = ranges.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (base < ranges[2 * middle]) {
                high = middle - 1;
            } else if (base >= ranges[2 * middle + 1]) {
                low = middle + 1;
            } else {
                return size <= ranges[2 * middle + 1] - base ? middle : -1;
            }
        }
        return -1;
    }

    private static boolean overlaps(long[] ranges, long base, long size) {
        for (int i = 0; i < ranges.length; i += 2) {
            if (base < ranges[i + 1] && ranges[i] < base + size) {
                return true;
            }
        }
        return false;
    }
}
