package gunyah.vmm.driver;

import gunyah.hyp.HypercallPort;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The host's page allocator over its own RAM (IPA = physical address): 4 KiB pages and 2 MiB blocks, handed out zeroed.
 * Thread safe.
 */
final class HostPages {
    static final int PAGE_SIZE = 4096;
    static final int PAGE_SHIFT = 12;
    static final long BLOCK_SIZE = 2L << 20;
    static final int PAGES_PER_BLOCK = 512;

    private static final byte[] ZERO = new byte[PAGE_SIZE];

    private final HypercallPort port;
    private final long base;
    private final int pageCount;
    private final BitSet taken = new BitSet();
    private final BitSet everUsed = new BitSet();
    private int usedPages;
    private int nextHint;

    /** Manages {@code [base, base + size)}; the base is rounded up, the size down, to blocks. */
    HostPages(HypercallPort port, long base, long size) {
        this.port = port;
        this.base = base + BLOCK_SIZE - 1 & -BLOCK_SIZE;
        long end = base + size & -BLOCK_SIZE;
        this.pageCount = (int) (Math.max(0, end - this.base) >> PAGE_SHIFT);
    }

    /** Takes whole pages out of use for ever; parts outside the managed range are ignored. */
    synchronized void reserve(long start, long size) {
        long first = Math.max(0, start - base >> PAGE_SHIFT);
        long end = Math.min(pageCount, start + size - base + PAGE_SIZE - 1 >> PAGE_SHIFT);
        if (first < end) {
            taken.set((int) first, (int) end);
        }
    }

    /** {@return the address of a zeroed page, or -1 when the host has no more} */
    long allocatePage() {
        int page;
        boolean dirty;
        synchronized (this) {
            page = taken.nextClearBit(nextHint);
            if (page >= pageCount) {
                page = taken.nextClearBit(0);
            }
            if (page >= pageCount) {
                return -1;
            }
            nextHint = page + 1;
            dirty = take(page, 1);
        }
        return cleared(page, 1, dirty);
    }

    /** {@return the address of a zeroed, aligned 2 MiB block, or -1} */
    long allocateBlock() {
        int page = 0;
        boolean dirty;
        synchronized (this) {
            while (true) {
                if (page + PAGES_PER_BLOCK > pageCount) {
                    return -1;
                }
                int used = taken.nextSetBit(page);
                if (used < 0 || used >= page + PAGES_PER_BLOCK) {
                    break;
                }
                page = used / PAGES_PER_BLOCK * PAGES_PER_BLOCK + PAGES_PER_BLOCK;
            }
            dirty = take(page, PAGES_PER_BLOCK);
        }
        return cleared(page, PAGES_PER_BLOCK, dirty);
    }

    private boolean take(int page, int count) {
        int used = everUsed.nextSetBit(page);
        boolean dirty = used >= 0 && used < page + count;
        taken.set(page, page + count);
        everUsed.set(page, page + count);
        usedPages += count;
        return dirty;
    }

    /**
     * Looks before it writes: the hypervisor sanitises private pages by giving their memory back to the machine, and a
     * blind store of zeros would commit it again.
     */
    private long cleared(int page, int count, boolean dirty) {
        long address = base + ((long) page << PAGE_SHIFT);
        if (dirty) {
            byte[] content = new byte[PAGE_SIZE];
            for (int i = 0; i < count; i++) {
                long at = address + ((long) i << PAGE_SHIFT);
                port.read(at, content, 0, PAGE_SIZE);
                if (!Arrays.equals(content, ZERO)) {
                    port.write(at, ZERO, 0, PAGE_SIZE);
                }
            }
        }
        return address;
    }

    /** Takes back what {@link #allocatePage} or {@link #allocateBlock} gave. */
    synchronized void free(long address, int count) {
        int page = (int) (address - base >> PAGE_SHIFT);
        if (page < 0 || page + count > pageCount || taken.nextClearBit(page) < page + count) {
            throw new IllegalStateException("host page 0x%x is not allocated".formatted(address));
        }
        taken.clear(page, page + count);
        usedPages -= count;
        nextHint = Math.min(nextHint, page);
    }

    /** {@return pages handed out now} */
    synchronized int usedPages() {
        return usedPages;
    }
}
