package gunyah.arm64.mmu;

import gunyah.memory.UncheckedArray;
import java.util.Arrays;

/**
 * The software TLB of one vCPU: direct mapped, 1024 entries in each of three privilege banks, every entry one 4 KiB
 * page of the combined stage-1 and stage-2 translation. An entry is four longs: read tag, write tag, execute tag and
 * the number to add to a VA to get the host address. A tag is the page's VA (top byte as the guest wrote it) plus flag
 * bits; any flag makes the fast comparison in {@link Mmu} fail. Owned by the vCPU's thread.
 *
 * <p>Each half of the address space remembers the entries it filled, so that a TTBR0 or ASID switch costs what was
 * used and not the size of the TLB.
 */
final class Tlb {
    static final int READ = 0;
    static final int WRITE = 1;
    static final int EXEC = 2;
    static final int ADDEND = 3;

    /** Offset of the bank with EL0's rights, also for LDTR and STTR. */
    static final int EL0 = 0;
    /** Offset of the bank of EL1 with PAN clear. */
    static final int EL1 = 4096;
    /** Offset of the bank of EL1 with PAN set. */
    static final int EL1_PAN = 8192;

    /** Tag flag: SCTLR.A is set, unaligned accesses fault. */
    static final int ALIGNED = 1;
    /** Tag flag: Device memory, unaligned accesses and DC ZVA fault. */
    static final int DEVICE = 2;
    /** Write tag flag: decoded code lives in the page. */
    static final int CODE = 4;
    /** No such right, or no entry. */
    static final int INVALID = 8;

    static final long PAGE = -4096;
    private static final int BANKS_END = 12288;
    private static final int LIST = 1024;

    final long[] entries = new long[BANKS_END];
    private final int[][] filled = new int[2][LIST];
    private final int[] filledCount = new int[2];
    /** One bit per 2 MiB of VA, hashed: a page of that range came from a level-2 block. */
    private final long[] blocks = new long[16];
    /** One bit per 1 GiB of VA, hashed: a page of that range came from a level-1 block. */
    private long gigabytes;
    /** The high half holds entries of one ASID. */
    boolean highNonGlobal;

    Tlb() {
        clear();
    }

    /** {@return the offset of {@code va}'s entry inside a bank} */
    static int index(long va) {
        return (int) (va >>> 10) & 0xFFC;
    }

    /**
     * {@return {@code entries[at]}} Without a bounds check, which would cost as much as the access: {@code at} is a bank
     * plus an {@link #index} plus the number of a field.
     */
    static long get(long[] entries, int at) {
        return UncheckedArray.get(entries, at);
    }

    void insert(int bank, long va, int rights, int flags, int writeFlags, long hostPage) {
        int at = bank + index(va);
        long page = va & PAGE;
        entries[at] = (rights & 4) != 0 ? page | flags : INVALID;
        entries[at + WRITE] = (rights & 2) != 0 ? page | flags | writeFlags : INVALID;
        entries[at + EXEC] = (rights & 1) != 0 ? page : INVALID;
        entries[at + ADDEND] = hostPage - page;
        int half = half(va);
        if (filledCount[half] < LIST) {
            filled[half][filledCount[half]] = at;
        }
        filledCount[half]++;
    }

    /** Remembers that the page of {@code va} is part of a block of that level (1: 1 GiB, 2: 2 MiB). */
    void noteBlock(long va, int level) {
        if (level == 1) {
            gigabytes |= 1L << gigabyteBit(va);
        } else {
            int bit = blockBit(va);
            blocks[bit >> 6] |= 1L << bit;
        }
    }

    private static int blockBit(long va) {
        int number = (int) (va << 8 >>> 29);
        return (number ^ number >>> 10 ^ number >>> 20) & 1023;
    }

    private static int gigabyteBit(long va) {
        int number = (int) (va << 8 >>> 38);
        return (number ^ number >>> 6 ^ number >>> 12) & 63;
    }

    private static int half(long va) {
        return (int) (va >>> 55) & 1;
    }

    private void drop(int at) {
        entries[at] = INVALID;
        entries[at + WRITE] = INVALID;
        entries[at + EXEC] = INVALID;
    }

    void clear() {
        Arrays.fill(entries, INVALID);
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
            drop(list[i]);
        }
        filledCount[half] = 0;
        if (half == 1) {
            highNonGlobal = false;
        }
    }

    /** Drops the entries of {@code va}'s page, and of the whole block when the page was part of one. */
    void flushPage(long va) {
        int bit = blockBit(va);
        if ((gigabytes >>> gigabyteBit(va) & 1) != 0) {
            flushRange(va, 30, 0, 1024);
        } else if ((blocks[bit >> 6] >>> bit & 1) != 0) {
            flushRange(va, 21, (int) (va >>> 12) & 512, 512);
        } else {
            int at = index(va);
            dropIfSame(at, va, 12);
            dropIfSame(at + EL1, va, 12);
            dropIfSame(at + EL1_PAN, va, 12);
        }
    }

    private void flushRange(long va, int shift, int first, int count) {
        for (int i = first; i < first + count; i++) {
            dropIfSame(4 * i, va, shift);
            dropIfSame(4 * i + EL1, va, shift);
            dropIfSame(4 * i + EL1_PAN, va, shift);
        }
    }

    private void dropIfSame(int at, long va, int shift) {
        // the top byte may hold an ignored tag
        if ((entries[at] ^ va) << 8 >>> 8 + shift == 0 || (entries[at + WRITE] ^ va) << 8 >>> 8 + shift == 0
                || (entries[at + EXEC] ^ va) << 8 >>> 8 + shift == 0) {
            drop(at);
        }
    }

    /** Makes every write to the host page take the slow path. */
    void dropWrites(long hostPage) {
        for (int at = 0; at < BANKS_END; at += 4) {
            long tag = entries[at + WRITE];
            if ((tag & INVALID) == 0 && (tag & PAGE) + entries[at + ADDEND] == hostPage) {
                entries[at + WRITE] = INVALID;
            }
        }
    }
}
