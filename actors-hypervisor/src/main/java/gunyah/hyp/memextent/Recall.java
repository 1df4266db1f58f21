package gunyah.hyp.memextent;

import gunyah.hyp.IdSource;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.memory.FrameOwners;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.RawMemory;
import gunyah.memory.Stage2Table;
import java.util.Arrays;

/**
 * What one operation took out of address spaces: which of them must acknowledge before the frames may be used
 * otherwise, and which frames must be zeroed then. Filled under the memory lock, waited for outside it.
 */
final class Recall {
    private static final long DISCARD_FROM = 64 << 10;

    private final PhysicalMemory memory;
    private Addrspace[] spaces = new Addrspace[4];
    private long[] tickets = new long[4];
    private int spaceCount;
    private long[] zeroed;
    private int zeroedCount;

    Recall(PhysicalMemory memory) {
        this.memory = memory;
    }

    /**
     * Unmaps the frames {@code [pa, pa + size)} at {@code ipa}; private ones without KEEP_CONTENTS will be zeroed.
     *
     * @param recordedPrivate what counts in a broken address space, whose table is empty
     */
    void remove(Addrspace addrspace, long ipa, long pa, long size, boolean recordedPrivate) {
        for (long at = 0; at < size; at += PhysicalMemory.PAGE_SIZE) {
            long entry = addrspace.stage2().lookup(ipa + at);
            if ((entry & (PageFlags.PRIVATE | PageFlags.KEEP_CONTENTS)) == PageFlags.PRIVATE
                    && Stage2Table.pa(entry) == pa + at) {
                zeroLater(pa + at);
            } else if (entry == 0 && recordedPrivate && addrspace.isBroken()) {
                zeroLater(pa + at);
            }
        }
        stale(addrspace, addrspace.remove(ipa, pa, size));
    }

    /** Notes a ticket. */
    void stale(Addrspace addrspace, long ticket) {
        if (ticket == 0) {
            return;
        }
        for (int i = 0; i < spaceCount; i++) {
            if (spaces[i] == addrspace) {
                tickets[i] = ticket;
                return;
            }
        }
        if (spaceCount == spaces.length) {
            spaces = Arrays.copyOf(spaces, 2 * spaceCount);
            tickets = Arrays.copyOf(tickets, 2 * spaceCount);
        }
        spaces[spaceCount] = addrspace;
        tickets[spaceCount++] = ticket;
    }

    /** {@return whether some frame may still be reached through an old translation} */
    boolean pending() {
        return spaceCount > 0 || zeroedCount > 0;
    }

    /** {@return whether frames wait to be zeroed} */
    boolean zeroes() {
        return zeroedCount > 0;
    }

    /** Waits for every address space. Not under the memory lock. */
    void awaitSync() {
        for (int i = 0; i < spaceCount; i++) {
            spaces[i].awaitSync(tickets[i]);
        }
    }

    /** Takes the frames to be zeroed away from {@code owner}, so that nobody gets them before. Under the lock. */
    void holdFrames(FrameOwners owners, int owner) {
        for (int i = 0; i < zeroedCount; i += 2) {
            owners.move(zeroed[i], zeroed[i + 1], owner, IdSource.IN_TRANSIT);
        }
    }

    /** Undoes {@link #holdFrames}. */
    void returnFrames(FrameOwners owners, int owner) {
        for (int i = 0; i < zeroedCount; i += 2) {
            owners.move(zeroed[i], zeroed[i + 1], IdSource.IN_TRANSIT, owner);
        }
    }

    /** Zeroes what must not be seen by the next owner. */
    void sanitise() {
        for (int i = 0; i < zeroedCount; i += 2) {
            zero(memory, zeroed[i], zeroed[i + 1]);
        }
    }

    /** Zeroes frames: a few by writing, many by giving their memory back to the operating system. */
    static void zero(PhysicalMemory memory, long pa, long size) {
        if (size >= DISCARD_FROM) {
            memory.discard(pa, size);
        } else {
            RawMemory.RAW.zero(memory.hostAddress(pa), size);
        }
    }

    private void zeroLater(long pa) {
        if (zeroed == null) {
            zeroed = new long[2];
        }
        if (zeroedCount > 0 && zeroed[zeroedCount - 2] + zeroed[zeroedCount - 1] == pa) {
            zeroed[zeroedCount - 1] += PhysicalMemory.PAGE_SIZE;
            return;
        }
        if (zeroedCount == zeroed.length) {
            zeroed = Arrays.copyOf(zeroed, 2 * zeroedCount);
        }
        zeroed[zeroedCount] = pa;
        zeroed[zeroedCount + 1] = PhysicalMemory.PAGE_SIZE;
        zeroedCount += 2;
    }
}
