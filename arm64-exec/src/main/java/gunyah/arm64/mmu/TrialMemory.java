package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.NativeWords;
import java.util.Arrays;

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
    /** Pages that are copied: their tags and banks of the CPU's TLB. */
    private final long[] tags = new long[PAGES];
    private final long[][] banks = new long[PAGES][];
    private int entryCount;
    private Tlb cpuTlb;

    private long at(int page, int which) {
        return copies.address() + (3L * page + which) * PAGE_BYTES;
    }

    /** {@return the bank to use for one of the CPU's TLB} */
    long[] join(Tlb cpuTlb, long[] bank) {
        this.cpuTlb = cpuTlb;
        return tlb.like(cpuTlb, bank);
    }

    /**
     * An access missed this TLB. {@return what to throw}
     *
     * @param bank bank of this TLB
     */
    TrialStop missing(long va, int kind, long[] bank) {
        long[] theirs = cpuTlb.like(tlb, bank);
        boolean known = holds(theirs, va & Tlb.PAGE, kind);
        return known && kind != Tlb.EXEC && take(theirs, va & Tlb.PAGE) ? TrialStop.AGAIN : TrialStop.UNKNOWN;
    }

    private static boolean holds(long[] bank, long tag, int kind) {
        return (Tlb.get(bank, Tlb.index(tag) + kind) & (Tlb.PAGE | Tlb.INVALID)) == tag;
    }

    private boolean take(long[] bank, long tag) {
        if (entryCount == PAGES) {
            return false;
        }
        long at = Tlb.index(tag);
        int page = pageOf(tag + Tlb.get(bank, at + Tlb.ADDEND));
        if (page < 0) {
            return false;
        }
        banks[entryCount] = bank;
        tags[entryCount++] = tag;
        tlb.insertCopy(tlb.like(cpuTlb, bank), at, bank, at(page, USED) - tag);
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

    /** Pages that a trial used. */
    public record Known(long[] tags, long[][] banks) {
    }

    /** {@return the pages it has, for {@link #preload} next time} */
    public Known known() {
        return new Known(Arrays.copyOf(tags, entryCount), Arrays.copyOf(banks, entryCount));
    }

    /** Takes the pages of {@code known} that the CPU's TLB still has, as they are now. */
    public void preload(Known known) {
        for (int i = 0; i < known.tags.length; i++) {
            if (holds(known.banks[i], known.tags[i], Tlb.READ)) {
                take(known.banks[i], known.tags[i]);
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

    private long[] mine(int entry) {
        return tlb.like(cpuTlb, banks[entry]);
    }

    private long tagOf(int page) {
        for (int i = 0; i < entryCount; i++) {
            if (tags[i] + Tlb.get(mine(i), Tlb.index(tags[i]) + Tlb.ADDEND) == at(page, USED)) {
                return tags[i];
            }
        }
        return -1;
    }

    /** Forgets every page. */
    public void clear() {
        for (int i = 0; i < entryCount; i++) {
            Tlb.drop(mine(i), Tlb.index(tags[i]));
        }
        entryCount = 0;
        pages = 0;
    }
}
