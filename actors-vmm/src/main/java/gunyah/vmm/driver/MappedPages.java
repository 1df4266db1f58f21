package gunyah.vmm.driver;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which folio the guest has at which guest page ("mm" in the driver): one long per page, in leaves of 512 pages. A 2 MiB
 * folio has one entry, at its first page. Lock free; an entry is claimed before its hypercalls and published after
 * them, so that of many vCPUs that miss on one page exactly one donates and maps.
 */
final class MappedPages {
    static final long EMPTY = 0;
    /** Claimed: hypercalls under way, or left in doubt by one that failed. */
    static final long CLAIMED = 2;
    static final long PRESENT = 1;
    static final long SHARED = 4;
    static final long BLOCK = 8;
    static final long WRITABLE = 16;
    /** A shared folio that the guest may execute. */
    static final long EXECUTABLE = 32;

    private static final int LEAF_SHIFT = 9;
    private static final int LEAF_PAGES = 1 << LEAF_SHIFT;

    private final ConcurrentHashMap<Long, AtomicLongArray> leaves = new ConcurrentHashMap<>();

    private AtomicLongArray leaf(long page) {
        return leaves.computeIfAbsent(page >> LEAF_SHIFT, ignored -> new AtomicLongArray(LEAF_PAGES));
    }

    private static int slot(long page) {
        return (int) page & LEAF_PAGES - 1;
    }

    /** {@return whether the page was empty and is now the caller's} */
    boolean claim(long page) {
        return leaf(page).compareAndSet(slot(page), EMPTY, CLAIMED);
    }

    /** Turns a present entry into a claimed one. {@return whether it was still that entry} */
    boolean claim(long page, long entry) {
        return leaf(page).compareAndSet(slot(page), entry, CLAIMED);
    }

    void set(long page, long entry) {
        leaf(page).set(slot(page), entry);
    }

    long get(long page) {
        AtomicLongArray leaf = leaves.get(page >> LEAF_SHIFT);
        return leaf == null ? EMPTY : leaf.get(slot(page));
    }

    /** {@return the first page in {@code [from, end)} that is not empty, or {@code end}} */
    long next(long from, long end) {
        long page = from;
        while (page < end) {
            AtomicLongArray leaf = leaves.get(page >> LEAF_SHIFT);
            if (leaf == null) {
                page = (page >> LEAF_SHIFT) + 1 << LEAF_SHIFT;
            } else if (leaf.get(slot(page)) != EMPTY) {
                return page;
            } else {
                page++;
            }
        }
        return end;
    }

    static long address(long entry) {
        return entry & -HostPages.PAGE_SIZE;
    }

    static int pages(long entry) {
        return (entry & BLOCK) != 0 ? HostPages.PAGES_PER_BLOCK : 1;
    }

    static long bytes(long entry) {
        return (long) pages(entry) << HostPages.PAGE_SHIFT;
    }
}
