package gunyah.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The stage-2 translation of one address space: IPA page to physical page with access rights. Written by one thread at
 * a time (the address space's owner, or a caller that holds its turn), read by any vCPU thread without locks: an entry
 * is one 64-bit word stored with release and loaded with acquire, so a reader sees the old or the new mapping, never a
 * mix. The writer tells readers that cached copies are stale by {@link #bumpEpoch}; who waits for whom is the
 * business of the caller.
 *
 * <p>Entry layout: bits 2:0 EL1 access ({@link Access}), 5:3 EL0 access, 6 valid, 11:8 memory type (Gunyah
 * pgtable_vm_memtype), 47:12 physical page. Zero means unmapped. Source: Gunyah hyp/mem/pgtable; the in-memory shape
 * is ours.
 */
public final class Stage2Table {
    /** IPA width of every address space, bits. */
    public static final int IPA_BITS = 36;

    private static final int LEAF_BITS = 12;
    private static final int TOP_BITS = IPA_BITS - PhysicalMemory.PAGE_SHIFT - LEAF_BITS;
    private static final long VALID = 1L << 6;
    private static final long PAGE_MASK = 0x0000_FFFF_FFFF_F000L;
    private static final VarHandle LEAVES = MethodHandles.arrayElementVarHandle(long[][].class);
    private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle EPOCH;

    static {
        try {
            EPOCH = MethodHandles.lookup().findVarHandle(Stage2Table.class, "epoch", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long[][] leaves = new long[1 << TOP_BITS][];
    private volatile int epoch;

    /** {@return an entry word for {@link #set}}; {@code memType} is 0..15, the accesses 0..7 */
    public static long entry(long pa, int el1Access, int el0Access, int memType) {
        return pa & PAGE_MASK | VALID | el1Access | (long) el0Access << 3 | (long) memType << 8;
    }

    /** {@return whether the entry maps something} */
    public static boolean isValid(long entry) {
        return (entry & VALID) != 0;
    }

    /** {@return the physical address of the page} */
    public static long pa(long entry) {
        return entry & PAGE_MASK;
    }

    /** {@return EL1 rights, {@link Access} bits} */
    public static int el1Access(long entry) {
        return (int) entry & 7;
    }

    /** {@return EL0 rights, {@link Access} bits} */
    public static int el0Access(long entry) {
        return (int) entry >>> 3 & 7;
    }

    /** {@return the Gunyah stage-2 memory type, 0..15 (15 = normal write-back)} */
    public static int memType(long entry) {
        return (int) entry >>> 8 & 15;
    }

    /** {@return the entry of the page that holds {@code ipa}, zero when unmapped or beyond the IPA width} */
    public long lookup(long ipa) {
        if (ipa >>> IPA_BITS != 0) {
            return 0;
        }
        long[] leaf = (long[]) LEAVES.getAcquire(leaves, (int) (ipa >>> PhysicalMemory.PAGE_SHIFT + LEAF_BITS));
        return leaf == null ? 0 : (long) ENTRIES.getAcquire(leaf, index(ipa));
    }

    /**
     * Skips address ranges that were never mapped.
     *
     * @return the first page at or after {@code ipa} that may be mapped; {@code end} when none is below it
     */
    public long skipUnmapped(long ipa, long end) {
        long at = ipa;
        while (at < end && at >>> IPA_BITS == 0
                && LEAVES.getAcquire(leaves, (int) (at >>> PhysicalMemory.PAGE_SHIFT + LEAF_BITS)) == null) {
            at = (at >>> PhysicalMemory.PAGE_SHIFT + LEAF_BITS) + 1 << PhysicalMemory.PAGE_SHIFT + LEAF_BITS;
        }
        return Math.min(at, end);
    }

    /**
     * Replaces the entry of the page that holds {@code ipa}; zero unmaps. Writer only.
     *
     * @return the entry before
     * @throws IndexOutOfBoundsException when {@code ipa} is beyond the IPA width
     */
    public long set(long ipa, long entry) {
        int top = Math.toIntExact(ipa >>> PhysicalMemory.PAGE_SHIFT + LEAF_BITS);
        long[] leaf = leaves[top];
        if (leaf == null) {
            if (entry == 0) {
                return 0;
            }
            leaf = new long[1 << LEAF_BITS];
            leaf[index(ipa)] = entry;
            // release: pairs with the acquire in lookup, so a reader never sees a leaf before its contents
            LEAVES.setRelease(leaves, top, leaf);
            return 0;
        }
        long before = leaf[index(ipa)];
        ENTRIES.setRelease(leaf, index(ipa), entry);
        return before;
    }

    /** {@return the number of times cached translations became stale; compare before entering guest code} */
    public int epoch() {
        return epoch;
    }

    /** Tells that some entry lost rights or changed its target. {@return the new epoch} Writer only. */
    public int bumpEpoch() {
        return (int) EPOCH.getAndAdd(this, 1) + 1;
    }

    private static int index(long ipa) {
        return (int) (ipa >>> PhysicalMemory.PAGE_SHIFT) & (1 << LEAF_BITS) - 1;
    }
}
