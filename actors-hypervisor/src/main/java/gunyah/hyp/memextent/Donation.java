package gunyah.hyp.memextent;

import gunyah.hyp.HypError;
import gunyah.hyp.IdSource;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.memory.FrameOwners;

/**
 * Moves frames from one owner to another with their mappings: recorded only at the giver: unmapped; only at the taker:
 * mapped; the same at both: untouched (Gunyah hyp/mem/memextent_sparse). Everything that can fail is checked before
 * anything changes. When an address space loses pages and the donation syncs, the frames are in transit, owned by
 * nobody who could map them, until every vCPU has let go.
 */
final class Donation {
    private final MemoryTree tree;
    private final MemExtent from;
    private final int fromOwner;
    private final MemExtent to;
    private final int toOwner;
    private final long pa;
    private final long size;

    /**
     * @param from giver; null when it is the partition
     * @param to   taker; null when it is the partition
     */
    Donation(MemoryTree tree, MemExtent from, int fromOwner, MemExtent to, int toOwner, long pa, long size) {
        this.tree = tree;
        this.from = from;
        this.fromOwner = fromOwner;
        this.to = to;
        this.toOwner = toOwner;
        this.pa = pa;
        this.size = size;
    }

    /**
     * Does it.
     *
     * @param onlyUnmapped refuse with BUSY when the giver has a mapping of some page
     * @param sync         wait for stale translations before the taker has the frames
     */
    HypError run(boolean onlyUnmapped, boolean sync) {
        Recall recall = new Recall(tree.memory());
        FrameOwners owners = tree.owners();
        boolean inTransit;
        tree.lock();
        try {
            if (!owners.owns(fromOwner, pa, size)) {
                return HypError.MEMDB_NOT_OWNER;
            }
            if (from != null && (onlyUnmapped ? from.slots().recorded(pa - from.base(), size) : hasPrivatePages())) {
                return HypError.BUSY;
            }
            if (from != null) {
                unmapFromGiver(recall);
            }
            boolean wait = sync && recall.pending();
            owners.move(pa, size, fromOwner, wait ? IdSource.IN_TRANSIT : toOwner);
            if (!wait) {
                mapAtTaker(recall);
            }
            inTransit = wait;
        } finally {
            tree.unlock();
        }
        if (inTransit) {
            recall.awaitSync();
            arrive(recall);
        }
        if (sync) {
            // the taker's records may have replaced somebody else's pages
            recall.awaitSync();
        }
        return HypError.OK;
    }

    private void arrive(Recall recall) {
        tree.lock();
        try {
            tree.owners().move(pa, size, IdSource.IN_TRANSIT, toOwner);
            mapAtTaker(recall);
        } finally {
            tree.unlock();
        }
    }

    private boolean hasPrivatePages() {
        ExtentSlots slots = from.slots();
        long first = pa - from.base();
        for (long at = 0; at < size; at += slots.piece(first + at, size - at)) {
            for (int slot = 0; slot < slots.count(); slot++) {
                if ((slots.table(slot).get(first + at) & PageFlags.PRIVATE) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private void unmapFromGiver(Recall recall) {
        ExtentSlots slots = from.slots();
        long first = pa - from.base();
        for (long at = 0, piece; at < size && slots.count() > 0; at += piece) {
            piece = slots.piece(first + at, size - at);
            if (to != null) {
                piece = to.slots().piece(pa + at - to.base(), piece);
            }
            for (int slot = 0; slot < slots.count(); slot++) {
                long word = slots.table(slot).get(first + at);
                Addrspace space = slots.space(slot);
                if (word != 0 && (to == null || !to.slots().has(space, pa + at - to.base(), word))) {
                    recall.remove(space, MemExtent.ipaOf(word), pa + at, piece, false);
                }
            }
        }
    }

    private void mapAtTaker(Recall recall) {
        if (to != null) {
            to.mappings().installRecorded(pa - to.base(), size, recall);
        }
    }
}
