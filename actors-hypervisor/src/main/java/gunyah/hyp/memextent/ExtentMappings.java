package gunyah.hyp.memextent;

import gunyah.hyp.HypError;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * Mapping and unmapping of one extent: keeps its records and the stage-2 tables in step. Methods that can fail check
 * everything before they change anything; waiting and zeroing come after the memory lock.
 */
final class ExtentMappings {
    private final MemExtent extent;
    private final MemoryTree tree;
    private final ExtentSlots slots;

    ExtentMappings(MemExtent extent, MemoryTree tree, ExtentSlots slots) {
        this.extent = extent;
        this.tree = tree;
        this.slots = slots;
    }

    /**
     * Maps a range. Arguments have been checked against the extent; what depends on other mappings is checked here.
     *
     * @param bits   stage-2 entry bits without address and kind
     * @param noSync leave out the wait for stale translations that the mapping replaces
     */
    HypError map(Addrspace addrspace, long ipa, long offset, long length, long bits, MapKind kind, boolean noSync) {
        long ticket = 0;
        boolean broken;
        tree.lock();
        try {
            if (addrspace.isBroken()) {
                return HypError.OBJECT_STATE;
            }
            if (kind == MapKind.PRIVATE) {
                if (!tree.owners().owns(extent.id(), extent.base() + offset, length)) {
                    return HypError.MEMDB_NOT_OWNER;
                }
                if (slots.recorded(offset, length)) {
                    return HypError.BUSY;
                }
            } else if (slots.recordedPrivate(offset, length)) {
                return HypError.BUSY;
            }
            if (holdsPrivatePage(addrspace, ipa, length)) {
                return HypError.BUSY;
            }
            int slot = slots.slotFor(addrspace, offset, length, ipa);
            if (slot < 0) {
                return HypError.MEMEXTENT_MAPPINGS_FULL;
            }
            long word = bits | kind.flag();
            slots.table(slot).set(offset, length, ipa | word);
            slots.dropDuplicates(slot, offset, length, ipa);
            long entryBits = kind == MapKind.PRIVATE ? word | PageFlags.LOCKED : word;
            for (long at = 0; at < length;) {
                long run = tree.owners().runLength(extent.id(), extent.base() + offset + at, length - at);
                if (run > 0) {
                    ticket = later(ticket, addrspace.install(ipa + at, extent.base() + offset + at, run, entryBits));
                }
                at += Math.abs(run);
            }
            broken = addrspace.isBroken();
            if (broken) {
                slots.table(slot).clear(offset, length);
                slots.dropEmpty();
            }
        } finally {
            tree.unlock();
        }
        if (!noSync || broken) {
            addrspace.awaitSync(ticket);
        }
        return broken ? HypError.FAILURE : HypError.OK;
    }

    /** Of two tickets of one address space, in order of time, the one that covers both. */
    private static long later(long ticket, long next) {
        return next == 0 ? ticket : next;
    }

    /** A private page is not replaced: it would be lost without being zeroed. */
    private static boolean holdsPrivatePage(Addrspace addrspace, long ipa, long length) {
        Stage2Table table = addrspace.stage2();
        long end = ipa + length;
        for (long at = table.skipUnmapped(ipa, end); at < end;
                at = table.skipUnmapped(at + PhysicalMemory.PAGE_SIZE, end)) {
            if ((table.lookup(at) & PageFlags.PRIVATE) != 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Unmaps a range mapped at {@code ipa}.
     *
     * @param strict every page must be recorded there; otherwise one is enough
     */
    HypError unmap(Addrspace addrspace, long ipa, long offset, long length, MapKind kind, boolean strict,
            boolean noSync) {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            boolean some = false;
            for (long at = 0, piece; at < length; at += piece) {
                piece = slots.piece(offset + at, length - at);
                boolean found = false;
                for (int slot = 0; slot < slots.count(); slot++) {
                    long word = slots.table(slot).get(offset + at);
                    if (slots.space(slot) == addrspace && word != 0 && MemExtent.ipaOf(word) == ipa + at) {
                        found = true;
                        if (!releasable(addrspace, word, offset + at, piece, kind)) {
                            return HypError.BUSY;
                        }
                    }
                }
                if (strict && !found) {
                    return HypError.ADDR_INVALID;
                }
                some |= found;
            }
            if (!some) {
                return HypError.ADDR_INVALID;
            }
            for (long at = 0, piece; at < length; at += piece) {
                piece = slots.piece(offset + at, length - at);
                for (int slot = 0; slot < slots.count(); slot++) {
                    long word = slots.table(slot).get(offset + at);
                    if (slots.space(slot) == addrspace && word != 0 && MemExtent.ipaOf(word) == ipa + at) {
                        removeRecorded(slot, offset + at, piece, recall);
                    }
                }
            }
            slots.dropEmpty();
            if (recall.zeroes()) {
                recall.holdFrames(tree.owners(), extent.id());
            }
        } finally {
            tree.unlock();
        }
        finish(recall, noSync);
        return HypError.OK;
    }

    /** Unmaps everything, in one address space or in all. */
    HypError unmapAll(Addrspace only, boolean noSync) {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            for (int pass = 0; pass < 2; pass++) {
                for (long at = 0, piece; at < extent.size(); at += piece) {
                    piece = slots.piece(at, extent.size() - at);
                    for (int slot = 0; slot < slots.count(); slot++) {
                        long word = slots.table(slot).get(at);
                        if (word == 0 || only != null && slots.space(slot) != only) {
                            continue;
                        }
                        MapKind kind = (word & PageFlags.PRIVATE) != 0 ? MapKind.PRIVATE : MapKind.NORMAL;
                        if (pass == 1) {
                            removeRecorded(slot, at, piece, recall);
                        } else if (!releasable(slots.space(slot), word, at, piece, kind)) {
                            return HypError.BUSY;
                        }
                    }
                }
            }
            slots.dropEmpty();
            if (recall.zeroes()) {
                recall.holdFrames(tree.owners(), extent.id());
            }
        } finally {
            tree.unlock();
        }
        finish(recall, noSync);
        return HypError.OK;
    }

    /** Waits, zeroes, and gives the frames held meanwhile back to this extent. */
    private void finish(Recall recall, boolean noSync) {
        if (!noSync) {
            recall.awaitSync();
        }
        if (recall.zeroes()) {
            recall.sanitise();
            tree.lock();
            try {
                recall.returnFrames(tree.owners(), extent.id());
            } finally {
                tree.unlock();
            }
        }
    }

    /** {@return whether the pages may be unmapped: private ones asked for as private and not locked, others not} */
    private boolean releasable(Addrspace addrspace, long word, long offset, long length, MapKind kind) {
        if (addrspace.isBroken()) {
            // Its table says nothing any more; the record does.
            boolean recordedPrivate = (word & PageFlags.PRIVATE) != 0;
            return recordedPrivate == (kind == MapKind.PRIVATE) && !(recordedPrivate && addrspace.isLive());
        }
        long ipa = MemExtent.ipaOf(word);
        for (long at = 0; at < length; at += PhysicalMemory.PAGE_SIZE) {
            long entry = addrspace.stage2().lookup(ipa + at);
            boolean ours = Stage2Table.isValid(entry) && Stage2Table.pa(entry) == extent.base() + offset + at;
            boolean isPrivate = ours && (entry & PageFlags.PRIVATE) != 0;
            if (isPrivate != (kind == MapKind.PRIVATE) || locked(addrspace, entry, isPrivate)) {
                return false;
            }
        }
        return true;
    }

    /** A private page is the guest's until the guest unlocks it or ends. */
    private static boolean locked(Addrspace addrspace, long entry, boolean isPrivate) {
        return isPrivate && (entry & PageFlags.LOCKED) != 0 && addrspace.isLive();
    }

    /** Takes a piece, recorded in one run, out of a slot, and its owned frames out of the address space. */
    private void removeRecorded(int slot, long offset, long length, Recall recall) {
        long word = slots.table(slot).get(offset);
        long ipa = MemExtent.ipaOf(word);
        boolean isPrivate = (word & PageFlags.PRIVATE) != 0;
        for (long at = 0; at < length;) {
            long run = tree.owners().runLength(extent.id(), extent.base() + offset + at, length - at);
            if (run > 0) {
                recall.remove(slots.space(slot), ipa + at, extent.base() + offset + at, run, isPrivate);
            }
            at += Math.abs(run);
        }
        slots.table(slot).clear(offset, length);
    }

    /** Changes the rights of a range mapped at {@code ipa}; {@code access}: EL1 in bits 2:0, EL0 in 5:3. */
    HypError updateAccess(Addrspace addrspace, long ipa, long offset, long length, long access, MapKind kind,
            boolean noSync) {
        long ticket = 0;
        tree.lock();
        try {
            if (addrspace.isBroken()) {
                return HypError.OBJECT_STATE;
            }
            for (int pass = 0; pass < 2; pass++) {
                for (long at = 0, piece; at < length; at += piece) {
                    piece = slots.piece(offset + at, length - at);
                    int slot = slotMapping(addrspace, offset + at, ipa + at);
                    if (slot < 0) {
                        return HypError.ADDR_INVALID;
                    }
                    long word = slots.table(slot).get(offset + at);
                    if ((word & PageFlags.PRIVATE) != 0 != (kind == MapKind.PRIVATE)) {
                        return HypError.BUSY;
                    }
                    if (pass == 1) {
                        long changed = word & ~MemExtent.ACCESS_BITS | access;
                        slots.table(slot).set(offset + at, piece, changed);
                        ticket = later(ticket,
                                rewrite(addrspace, ipa + at, offset + at, piece, MemExtent.bitsOf(changed)));
                    }
                }
            }
        } finally {
            tree.unlock();
        }
        if (!noSync) {
            addrspace.awaitSync(ticket);
        }
        return HypError.OK;
    }

    private int slotMapping(Addrspace addrspace, long offset, long ipa) {
        for (int slot = 0; slot < slots.count(); slot++) {
            long word = slots.table(slot).get(offset);
            if (slots.space(slot) == addrspace && word != 0 && MemExtent.ipaOf(word) == ipa) {
                return slot;
            }
        }
        return -1;
    }

    /** Rewrites the entries of the owned frames, page by page where the page has a lock of its own. */
    private long rewrite(Addrspace addrspace, long ipa, long offset, long length, long bits) {
        long ticket = 0;
        for (long at = 0; at < length;) {
            long run = tree.owners().runLength(extent.id(), extent.base() + offset + at, length - at);
            if (run > 0 && (bits & PageFlags.PRIVATE) == 0) {
                ticket = later(ticket, addrspace.install(ipa + at, extent.base() + offset + at, run, bits));
            } else if (run > 0) {
                run = PhysicalMemory.PAGE_SIZE;
                long state = addrspace.stage2().lookup(ipa + at) & (PageFlags.LOCKED | PageFlags.KEEP_CONTENTS);
                ticket = later(ticket, addrspace.install(ipa + at, extent.base() + offset + at, run, bits | state));
            }
            at += Math.abs(run);
        }
        return ticket;
    }

    /** Maps frames that have just come to this extent wherever they are recorded. Under the memory lock. */
    void installRecorded(long offset, long length, Recall recall) {
        for (long at = 0, piece; at < length && slots.count() > 0; at += piece) {
            piece = slots.piece(offset + at, length - at);
            for (int slot = 0; slot < slots.count(); slot++) {
                long word = slots.table(slot).get(offset + at);
                if (word != 0) {
                    Addrspace space = slots.space(slot);
                    recall.stale(space, space.install(MemExtent.ipaOf(word),
                            extent.base() + offset + at, piece, MemExtent.bitsOf(word)));
                }
            }
        }
    }

    void takeOut(Addrspace only, Recall recall) {
        for (long at = 0, piece; at < extent.size() && slots.count() > 0; at += piece) {
            piece = slots.piece(at, extent.size() - at);
            for (int slot = 0; slot < slots.count(); slot++) {
                if (slots.table(slot).get(at) != 0 && (only == null || slots.space(slot) == only)) {
                    removeRecorded(slot, at, piece, recall);
                }
            }
        }
    }
}
