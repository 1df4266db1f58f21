package gunyah.arm64.mmu;

import gunyah.memory.UncheckedArray;
import java.util.Arrays;

/**
 * The software TLB of one vCPU: direct mapped, 2048 entries in each of three privilege banks, every entry one 4 KiB
 * page of the combined stage-1 and stage-2 translation. An entry is four longs: read tag, write tag, execute tag and
 * the number to add to a VA to get the host address. A tag is the page's VA (top byte as the guest wrote it) plus flag
 * bits; any flag makes the fast comparison in {@link Mmu} fail. Owned by the vCPU's thread.
 *
 * <p>Each half of the address space remembers the entries it filled, so that a TTBR0 or ASID switch costs what was
 * used and not the size of the TLB.
 */
final class Tlb {
    static final int READ = 0;
    static final int WRITE = 8;
    static final int EXEC = 16;
    static final int ADDEND = 24;

    /** Tag flag: SCTLR.A is set, unaligned accesses fault. */
    static final int ALIGNED = 1;
    /** Tag flag: Device memory, unaligned accesses and DC ZVA fault. */
    static final int DEVICE = 2;
    /** Write tag flag: decoded code lives in the page. */
    static final int CODE = 4;
    /** Tag flag: a debugger watches bytes of the page. */
    static final int WATCHED = 16;
    /** Execute tag flag: branches by register may go to some instructions of the page only. */
    static final int GUARDED = 32;
    /** No such right, or no entry. */
    static final int INVALID = 8;

    static final long PAGE = -4096;
    private static final int ENTRY_BYTES = 32;
    private static final int ENTRIES = 2048;
    private static final int BANK_BYTES = ENTRIES * ENTRY_BYTES;
    /** How many entries a half remembers to have filled. */
    private static final int LIST = ENTRIES;
    private static final int SEVERAL = -1;

    /** The bank with EL0's rights, also for LDTR and STTR. */
    final long[] el0 = new long[BANK_BYTES / 8];
    /** The bank of EL1 with PAN clear. */
    final long[] el1 = new long[BANK_BYTES / 8];
    /** The bank of EL1 with PAN set. */
    final long[] el1Pan = new long[BANK_BYTES / 8];
    private final long[][] banks = {el0, el1, el1Pan};
    /** Entries by half: the number of the bank times {@link #BANK_BYTES}, plus the index. */
    private final int[][] filled = new int[2][LIST];
    private final int[] filledCount = new int[2];
    /** One bit per 2 MiB of VA, hashed: a page of that range came from a block of 2 MiB. */
    private final long[] blocks = new long[16];
    /** Which 2 MiB a bit stands for, or {@link #SEVERAL}: dropping a block costs 1,536 looks at entries. */
    private final int[] blockNumbers = new int[1024];
    /** One bit per 1 GiB of VA, hashed: a page of that range came from a larger block. */
    private long gigabytes;
    /** The high half holds entries of one ASID. */
    boolean highNonGlobal;

    Tlb() {
        clear();
    }

    /**
     * {@return the offset of {@code va}'s entry inside a bank, bytes} Higher bits are mixed in: hot pages are often apart
     * by a power of two, and two that share an entry make translated code leave at each access. Neighbours never share
     * one, because the lowest bit is not mixed: so an access that crosses into the next page finds no tag that matches.
     */
    static long index(long va) {
        return va >>> 7 & BANK_BYTES - ENTRY_BYTES ^ va >>> 16 & BANK_BYTES - 2 * ENTRY_BYTES;
    }

    /** {@return a field of a bank} Its offset is an {@link #index} plus the field's. */
    static long get(long[] bank, long offset) {
        return UncheckedArray.at(bank, offset);
    }

    private static void set(long[] bank, long offset, long value) {
        bank[(int) offset >>> 3] = value;
    }

    private int number(long[] bank) {
        return bank == el0 ? 0 : bank == el1 ? 1 : 2;
    }

    /** {@return the bank of this TLB that has the rights of one of another} */
    long[] like(Tlb other, long[] bank) {
        return banks[other.number(bank)];
    }

    void insert(long[] bank, long va, int rights, int flags, int writeFlags, int executeFlags, long hostPage) {
        long at = index(va);
        long page = va & PAGE;
        set(bank, at, (rights & 4) != 0 ? page | flags : INVALID);
        set(bank, at + WRITE, (rights & 2) != 0 ? page | flags | writeFlags : INVALID);
        set(bank, at + EXEC, (rights & 1) != 0 ? page | executeFlags : INVALID);
        set(bank, at + ADDEND, hostPage - page);
        int half = half(va);
        if (filledCount[half] < LIST) {
            filled[half][filledCount[half]] = number(bank) * BANK_BYTES + (int) at;
        }
        filledCount[half]++;
    }

    /** As {@link #insert}, of a page of a trial: what an entry of another TLB allows, but in a copy. */
    void insertCopy(long[] bank, long at, long[] from, long addend) {
        set(bank, at, get(from, at));
        set(bank, at + WRITE, get(from, at + WRITE));
        set(bank, at + ADDEND, addend);
    }

    /** Remembers that the page of {@code va} is part of a block of {@code 1 << bits} bytes: 2 MiB to 1 GiB. */
    void noteBlock(long va, int bits) {
        if (bits > 21) {
            gigabytes |= 1L << gigabyteBit(va);
        } else {
            int number = blockNumber(va);
            int bit = blockBit(number);
            boolean other = isNoted(bit) && blockNumbers[bit] != number;
            blockNumbers[bit] = other ? SEVERAL : number;
            blocks[bit >> 6] |= 1L << bit;
        }
    }

    private boolean isNoted(int bit) {
        return (blocks[bit >> 6] >>> bit & 1) != 0;
    }

    /** {@return whether the page of {@code va} may have come from a block of 2 MiB} */
    private boolean isOfBlock(long va) {
        int number = blockNumber(va);
        int bit = blockBit(number);
        return isNoted(bit) && (blockNumbers[bit] == number || blockNumbers[bit] == SEVERAL);
    }

    private static int blockNumber(long va) {
        return (int) (va << 8 >>> 29);
    }

    private static int blockBit(int number) {
        return (number ^ number >>> 10 ^ number >>> 20) & 1023;
    }

    private static int gigabyteBit(long va) {
        int number = (int) (va << 8 >>> 38);
        return (number ^ number >>> 6 ^ number >>> 12) & 63;
    }

    private static int half(long va) {
        return (int) (va >>> 55) & 1;
    }

    /** Drops what an entry of a bank allows. */
    static void drop(long[] bank, long at) {
        set(bank, at, INVALID);
        set(bank, at + WRITE, INVALID);
        set(bank, at + EXEC, INVALID);
    }

    void clear() {
        for (long[] bank : banks) {
            for (int at = 0; at < BANK_BYTES; at += ENTRY_BYTES) {
                drop(bank, at);
            }
        }
        filledCount[0] = 0;
        filledCount[1] = 0;
        Arrays.fill(blocks, 0);
        gigabytes = 0;
        highNonGlobal = false;
    }

    void flushAll() {
        if (filledCount[0] > LIST || filledCount[1] > LIST) {
            clear();
            return;
        }
        flushHalf(0);
        flushHalf(1);
        Arrays.fill(blocks, 0);
        gigabytes = 0;
    }

    /** Drops every entry of one half: 0 is TTBR0's, 1 is TTBR1's. */
    void flushHalf(int half) {
        int count = filledCount[half];
        if (count > LIST) {
            clear();
            return;
        }
        int[] list = filled[half];
        for (int i = 0; i < count; i++) {
            drop(banks[list[i] / BANK_BYTES], list[i] % BANK_BYTES);
        }
        filledCount[half] = 0;
        if (half == 1) {
            highNonGlobal = false;
        }
    }

    /**
     * Drops the entries of {@code va}'s page of {@code 1 << granule} bytes, and of the whole block when the page was
     * part of one.
     */
    void flushPage(long va, int granule) {
        if ((gigabytes >>> gigabyteBit(va) & 1) != 0) {
            flushRange(va, 30, 0, ENTRIES);
        } else if (isOfBlock(va)) {
            flushRange(va, 21, (int) index(va) / ENTRY_BYTES & -512, 512);
        } else if (granule == 12) {
            dropIfSame(index(va), va, 12);
        } else {
            flushRange(va, granule, (int) index(va) / ENTRY_BYTES & -1 << granule - 12, 1 << granule - 12);
        }
    }

    private void flushRange(long va, int shift, int first, int count) {
        for (int i = first; i < first + count; i++) {
            dropIfSame((long) i * ENTRY_BYTES, va, shift);
        }
    }

    private void dropIfSame(long index, long va, int shift) {
        for (long[] bank : banks) {
            // the top byte may hold an ignored tag
            if ((get(bank, index) ^ va) << 8 >>> 8 + shift == 0 || (get(bank, index + WRITE) ^ va) << 8 >>> 8 + shift == 0
                    || (get(bank, index + EXEC) ^ va) << 8 >>> 8 + shift == 0) {
                drop(bank, index);
            }
        }
    }

    /** Makes every write to the host page take the slow path. */
    void dropWrites(long hostPage) {
        for (long[] bank : banks) {
            for (int at = 0; at < BANK_BYTES; at += ENTRY_BYTES) {
                long tag = get(bank, at + WRITE);
                if ((tag & INVALID) == 0 && (tag & PAGE) + get(bank, at + ADDEND) == hostPage) {
                    set(bank, at + WRITE, INVALID);
                }
            }
        }
    }
}
