package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.NativeWords;

/**
 * Private copies of guest pages for executing the same code several times from the same memory: a TLB of its own names
 * copies of what the CPU's TLB names. Nothing that is executed on it can be seen outside, and nothing that others write
 * meanwhile is seen in it. {@link Mmu#beginTrial} turns to it. The vCPU's thread only.
 *
 * <p>A page is copied when an access misses it, which stops the code with {@link TrialStop#AGAIN}. Pages are told apart
 * by their host address, so that two names of a page are one copy.
 */
public final class TrialMemory {
    private static final int PAGES = 64;
    private static final int PAGE_BYTES = 4096;
    private static final int FRESH = 0;
    private static final int USED = 1;
    private static final int KEPT = 2;

    private final Tlb tlb = new Tlb();
    /** For each page: as it was at the start, as the code left it, and what {@link #keep} put aside. */
    private final NativeWords copies = new NativeWords(3 * PAGES * PAGE_BYTES / 8);
    private final long[] hostPages = new long[PAGES];
    private int pages;
    /** Addresses of the entries in the CPU's TLB that this one has copied. */
    private final long[] entries = new long[PAGES];
    private final long[] tags = new long[PAGES];
    private int entryCount;
    /** From a bank of the CPU's TLB to the same bank of this one. */
    private long offset;

    private long at(int page, int which) {
        return copies.address() + (3L * page + which) * PAGE_BYTES;
    }

    /** {@return what to add to the address of a bank of the CPU's TLB} */
    long join(Tlb cpuTlb) {
        offset = tlb.el0 - cpuTlb.el0;
        return offset;
    }

    /**
     * An access missed this TLB. {@return what to throw}
     *
     * @param bank bank of this TLB
     */
    TrialStop missing(long va, int kind, long bank) {
        long entry = bank - offset + Tlb.index(va);
        boolean known = (Tlb.get(entry + kind) & (Tlb.PAGE | Tlb.INVALID)) == (va & Tlb.PAGE);
        return known && kind != Tlb.EXEC && take(entry, va & Tlb.PAGE) ? TrialStop.AGAIN : TrialStop.UNKNOWN;
    }

    private boolean take(long entry, long tag) {
        if (entryCount == PAGES) {
            return false;
        }
        int page = pageOf(tag + Tlb.get(entry + Tlb.ADDEND));
        if (page < 0) {
            return false;
        }
        entries[entryCount] = entry;
        tags[entryCount++] = tag;
        long mine = entry + offset;
        NativeWords.set(mine, Tlb.get(entry));
        NativeWords.set(mine + Tlb.WRITE, Tlb.get(entry + Tlb.WRITE));
        NativeWords.set(mine + Tlb.ADDEND, at(page, USED) - tag);
        return true;
    }

    private int pageOf(long hostPage) {
        for (int page = 0; page < pages; page++) {
            if (hostPages[page] == hostPage) {
                return page;
            }
        }
        if (pages == PAGES) {
            return -1;
        }
        hostPages[pages] = hostPage;
        RAW.copy(hostPage, at(pages, FRESH), PAGE_BYTES);
        RAW.copy(at(pages, FRESH), at(pages, USED), PAGE_BYTES);
        return pages++;
    }

    /** {@return the pages it has, for {@link #preload} next time: addresses of entries of the CPU's TLB and their tags} */
    public long[] known() {
        long[] known = new long[2 * entryCount];
        System.arraycopy(entries, 0, known, 0, entryCount);
        System.arraycopy(tags, 0, known, entryCount, entryCount);
        return known;
    }

    /** Takes the pages of {@code known} that the CPU's TLB still has, as they are now. */
    public void preload(long[] known) {
        int count = known.length / 2;
        for (int i = 0; i < count; i++) {
            boolean valid = (Tlb.get(known[i]) & (Tlb.PAGE | Tlb.INVALID)) == known[count + i];
            if (valid) {
                take(known[i], known[count + i]);
            }
        }
    }

    /** All pages are again what they were when they were copied. */
    public void rewind() {
        for (int page = 0; page < pages; page++) {
            RAW.copy(at(page, FRESH), at(page, USED), PAGE_BYTES);
        }
    }

    /** Puts the pages aside as they are, for {@link #difference}. */
    public void keep() {
        for (int page = 0; page < pages; page++) {
            RAW.copy(at(page, USED), at(page, KEPT), PAGE_BYTES);
        }
    }

    /** {@return where the pages differ from those put aside, in words; empty when they do not} */
    public String difference() {
        for (int page = 0; page < pages; page++) {
            long used = at(page, USED);
            long kept = at(page, KEPT);
            for (int i = 0; i < PAGE_BYTES; i += 8) {
                if (NativeWords.get(used + i) != NativeWords.get(kept + i)) {
                    return "memory at 0x%x is 0x%x, translated 0x%x".formatted(tagOf(page) + i,
                            NativeWords.get(used + i), NativeWords.get(kept + i));
                }
            }
        }
        return "";
    }

    private long tagOf(int page) {
        for (int i = 0; i < entryCount; i++) {
            if (tags[i] + Tlb.get(entries[i] + offset + Tlb.ADDEND) == at(page, USED)) {
                return tags[i];
            }
        }
        return -1;
    }

    /** Forgets every page. */
    public void clear() {
        for (int i = 0; i < entryCount; i++) {
            NativeWords.set(entries[i] + offset, Tlb.INVALID);
            NativeWords.set(entries[i] + offset + Tlb.WRITE, Tlb.INVALID);
        }
        entryCount = 0;
        pages = 0;
    }
}
