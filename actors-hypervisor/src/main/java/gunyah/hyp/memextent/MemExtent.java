package gunyah.hyp.memextent;

import gunyah.hyp.HypError;
import gunyah.hyp.IdSource;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.MappingOwner;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.hyp.partition.Partition;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * A memory extent: a range of physical memory of which it owns some frames, and where those are mapped (Gunyah
 * hyp/mem/memextent_basic, memextent_sparse). A mapping is recorded for a range whatever is owned of it; what is in
 * stage-2 tables is always the records of the owner. BASIC extents own their range from activation and map it whole;
 * SPARSE ones get frames by donation and map any part. Guarded by the memory lock; any thread that is not an object
 * actor's.
 */
public final class MemExtent extends KernelObject implements MappingOwner {
    private static final long ADDRESS = 0x0000_FFFF_FFFF_F000L;
    private static final long ACCESS_BITS = 0x3F;

    private final MemoryTree tree;
    private final Partition partition;
    private final ExtentSlots slots = new ExtentSlots(this);
    private MemExtent parent;
    private ExtentAttributes attributes;
    private long base;
    private long size;

    /** Makes an extent in INIT; its memory comes from {@code partition} unless it is derived. */
    public MemExtent(int id, MemoryTree tree, Partition partition) {
        super(ObjectType.MEMEXTENT, id);
        this.tree = tree;
        this.partition = partition;
    }

    static long ipaOf(long word) {
        return word & ADDRESS;
    }

    static long bitsOf(long word) {
        return word & ~ADDRESS;
    }

    /** {@return first physical address} */
    public long base() {
        return base;
    }

    /** {@return bytes} */
    public long size() {
        return size;
    }

    MemoryTree tree() {
        return tree;
    }

    MemExtent parent() {
        return parent;
    }

    ExtentAttributes attributes() {
        return attributes;
    }

    ExtentSlots slots() {
        return slots;
    }

    /** {@return the owner id of frames that go up from here} */
    int parentOwner() {
        return parent == null ? partition.id() : parent.id();
    }

    /** {@return whether {@code [offset, offset + length)} lies in the extent; {@code length} is positive} */
    boolean contains(long offset, long length) {
        return offset >= 0 && length > 0 && length <= size && offset <= size - length;
    }

    /** Sets range and attributes, in INIT (memextent_configure). */
    public HypError configure(long newBase, long newSize, long attributeBits) {
        ExtentAttributes decoded = ExtentAttributes.decode(attributeBits);
        if (((newBase | newSize) & PhysicalMemory.PAGE_SIZE - 1) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (decoded == null || newSize <= 0 || newBase < 0 || newBase + newSize > RecordedMappings.LIMIT
                || newBase + newSize < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        become(newBase, newSize, decoded, null);
        return HypError.OK;
    }

    /** Sets range and attributes within a parent, in INIT (memextent_configure_derive). Takes a reference to it. */
    HypError derive(MemExtent newParent, long offset, long newSize, long attributeBits) {
        ExtentAttributes decoded = ExtentAttributes.decode(attributeBits);
        if (((offset | newSize) & PhysicalMemory.PAGE_SIZE - 1) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (decoded == null || newSize == 0) {
            return HypError.ARGUMENT_INVALID;
        }
        if (!newParent.contains(offset, newSize)) {
            return HypError.ADDR_INVALID;
        }
        if (!decoded.within(newParent.attributes)) {
            return HypError.ARGUMENT_INVALID;
        }
        newParent.retain();
        become(newParent.base + offset, newSize, decoded, newParent);
        return HypError.OK;
    }

    private void become(long newBase, long newSize, ExtentAttributes newAttributes, MemExtent newParent) {
        MemExtent oldParent;
        tree.lock();
        try {
            oldParent = parent;
            parent = newParent;
            base = newBase;
            size = newSize;
            attributes = newAttributes;
        } finally {
            tree.unlock();
        }
        if (oldParent != null) {
            oldParent.release();
        }
    }

    @Override
    protected HypError onActivate() {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            if (attributes == null) {
                return HypError.OBJECT_CONFIG;
            }
            if (attributes.sparse() && attributes.memtype() != ExtentAttributes.DEVICE) {
                return HypError.OK;
            }
            if (!tree.owners().owns(parentOwner(), base, size)) {
                return HypError.MEMDB_NOT_OWNER;
            }
            HypError inherited = parent == null ? HypError.OK : inherit(recall);
            if (inherited != HypError.OK) {
                return inherited;
            }
            tree.owners().move(base, size, parentOwner(), id());
        } finally {
            tree.unlock();
        }
        recall.awaitSync();
        return HypError.OK;
    }

    /** Takes over the parent's mappings of the range with the rights this extent allows. */
    private HypError inherit(Recall recall) {
        ExtentSlots from = parent.slots;
        long first = base - parent.base;
        for (int slot = 0; slot < from.count(); slot++) {
            boolean some = false;
            boolean all = true;
            for (long at = 0; at < size; at += from.piece(first + at, size - at)) {
                long word = from.table(slot).get(first + at);
                some |= word != 0;
                all &= word != 0;
                if ((word & PageFlags.PRIVATE) != 0) {
                    return HypError.BUSY;
                }
            }
            if (some && !all) {
                return HypError.DENIED;
            }
        }
        long mask = ~ACCESS_BITS | attributes.access() | (long) attributes.access() << 3;
        for (long at = 0, length; at < size; at += length) {
            length = from.piece(first + at, size - at);
            for (int slot = 0; slot < from.count(); slot++) {
                long word = from.table(slot).get(first + at);
                if (word != 0) {
                    Addrspace space = from.space(slot);
                    int own = slots.slotFor(space, at, length, ipaOf(word));
                    slots.table(own).set(at, length, word & mask);
                    recall.stale(space, space.install(ipaOf(word), base + at, length, bitsOf(word & mask)));
                }
            }
        }
        return HypError.OK;
    }

    /**
     * Maps a range. Arguments have been checked against the extent; what depends on other mappings is checked here.
     *
     * @param bits   stage-2 entry bits without address and kind
     * @param noSync leave out the wait for stale translations that the mapping replaces
     */
    HypError map(Addrspace addrspace, long ipa, long offset, long length, long bits, MapKind kind, boolean noSync) {
        long ticket = 0;
        tree.lock();
        try {
            if (kind == MapKind.PRIVATE) {
                if (!tree.owners().owns(id(), base + offset, length)) {
                    return HypError.MEMDB_NOT_OWNER;
                }
                if (slots.recorded(offset, length)) {
                    return HypError.BUSY;
                }
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
            long entryBits = kind == MapKind.PRIVATE ? word | PageFlags.LOCKED : word;
            for (long at = 0; at < length;) {
                long run = tree.owners().runLength(id(), base + offset + at, length - at);
                if (run > 0) {
                    ticket = later(ticket, addrspace.install(ipa + at, base + offset + at, run, entryBits));
                }
                at += Math.abs(run);
            }
        } finally {
            tree.unlock();
        }
        if (!noSync) {
            addrspace.awaitSync(ticket);
        }
        return HypError.OK;
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
                    if (slots.space(slot) == addrspace && word != 0 && ipaOf(word) == ipa + at) {
                        found = true;
                        if (!releasable(addrspace, ipa + at, offset + at, piece, kind)) {
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
                    if (slots.space(slot) == addrspace && word != 0 && ipaOf(word) == ipa + at) {
                        removeRecorded(slot, offset + at, piece, recall);
                    }
                }
            }
            slots.dropEmpty();
            if (recall.zeroes()) {
                recall.holdFrames(tree.owners(), id());
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
                for (long at = 0, piece; at < size; at += piece) {
                    piece = slots.piece(at, size - at);
                    for (int slot = 0; slot < slots.count(); slot++) {
                        long word = slots.table(slot).get(at);
                        if (word == 0 || only != null && slots.space(slot) != only) {
                            continue;
                        }
                        MapKind kind = (word & PageFlags.PRIVATE) != 0 ? MapKind.PRIVATE : MapKind.NORMAL;
                        if (pass == 1) {
                            removeRecorded(slot, at, piece, recall);
                        } else if (!releasable(slots.space(slot), ipaOf(word), at, piece, kind)) {
                            return HypError.BUSY;
                        }
                    }
                }
            }
            slots.dropEmpty();
            if (recall.zeroes()) {
                recall.holdFrames(tree.owners(), id());
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
                recall.returnFrames(tree.owners(), id());
            } finally {
                tree.unlock();
            }
        }
    }

    /** {@return whether the pages may be unmapped: private ones asked for as private and not locked, others not} */
    private boolean releasable(Addrspace addrspace, long ipa, long offset, long length, MapKind kind) {
        for (long at = 0; at < length; at += PhysicalMemory.PAGE_SIZE) {
            long entry = addrspace.stage2().lookup(ipa + at);
            boolean ours = Stage2Table.isValid(entry) && Stage2Table.pa(entry) == base + offset + at;
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
        long ipa = ipaOf(slots.table(slot).get(offset));
        for (long at = 0; at < length;) {
            long run = tree.owners().runLength(id(), base + offset + at, length - at);
            if (run > 0) {
                recall.remove(slots.space(slot), ipa + at, base + offset + at, run);
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
                        long changed = word & ~ACCESS_BITS | access;
                        slots.table(slot).set(offset + at, piece, changed);
                        ticket = later(ticket, rewrite(addrspace, ipa + at, offset + at, piece, bitsOf(changed)));
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
            if (slots.space(slot) == addrspace && word != 0 && ipaOf(word) == ipa) {
                return slot;
            }
        }
        return -1;
    }

    /** Rewrites the entries of the owned frames, page by page where the page has a lock of its own. */
    private long rewrite(Addrspace addrspace, long ipa, long offset, long length, long bits) {
        long ticket = 0;
        for (long at = 0; at < length;) {
            long run = tree.owners().runLength(id(), base + offset + at, length - at);
            if (run > 0 && (bits & PageFlags.PRIVATE) == 0) {
                ticket = later(ticket, addrspace.install(ipa + at, base + offset + at, run, bits));
            } else if (run > 0) {
                run = PhysicalMemory.PAGE_SIZE;
                long state = addrspace.stage2().lookup(ipa + at) & (PageFlags.LOCKED | PageFlags.KEEP_CONTENTS);
                ticket = later(ticket, addrspace.install(ipa + at, base + offset + at, run, bits | state));
            }
            at += Math.abs(run);
        }
        return ticket;
    }

    /** Zeroes the owned frames of a range. */
    HypError zero(long offset, long length) {
        tree.lock();
        try {
            for (long at = 0; at < length;) {
                long run = tree.owners().runLength(id(), base + offset + at, length - at);
                if (run > 0) {
                    Recall.zero(tree.memory(), base + offset + at, run);
                }
                at += Math.abs(run);
            }
        } finally {
            tree.unlock();
        }
        return HypError.OK;
    }

    /** Waits till nobody uses a translation older than this call, in every address space that maps the extent. */
    HypError sync() {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            for (int slot = 0; slot < slots.count(); slot++) {
                recall.stale(slots.space(slot), slots.space(slot).ticket());
            }
        } finally {
            tree.unlock();
        }
        recall.awaitSync();
        return HypError.OK;
    }

    /** Maps frames that have just come to this extent wherever they are recorded. Under the memory lock. */
    void installRecorded(long offset, long length, Recall recall) {
        for (long at = 0, piece; at < length && slots.count() > 0; at += piece) {
            piece = slots.piece(offset + at, length - at);
            for (int slot = 0; slot < slots.count(); slot++) {
                long word = slots.table(slot).get(offset + at);
                if (word != 0) {
                    Addrspace space = slots.space(slot);
                    recall.stale(space, space.install(ipaOf(word), base + offset + at, piece, bitsOf(word)));
                }
            }
        }
    }

    /** The address space is going: no vCPU is left in it, so its private frames are zeroed at once. */
    @Override
    public void forget(Addrspace addrspace) {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            takeOut(addrspace, recall);
            slots.drop(addrspace);
            recall.sanitise();
        } finally {
            tree.unlock();
        }
    }

    private void takeOut(Addrspace only, Recall recall) {
        for (long at = 0, piece; at < size && slots.count() > 0; at += piece) {
            piece = slots.piece(at, size - at);
            for (int slot = 0; slot < slots.count(); slot++) {
                if (slots.table(slot).get(at) != 0 && (only == null || slots.space(slot) == only)) {
                    removeRecorded(slot, at, piece, recall);
                }
            }
        }
    }

    @Override
    protected void onDestroy() {
        if (attributes == null) {
            return;
        }
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            takeOut(null, recall);
            slots.dropEmpty();
        } finally {
            tree.unlock();
        }
        // the frames stay this extent's until they are clean: nobody has a capability to it any more
        recall.awaitSync();
        recall.sanitise();
        tree.lock();
        try {
            for (long at = 0; at < size;) {
                long run = tree.owners().runLength(id(), base + at, size - at);
                if (run > 0) {
                    tree.owners().move(base + at, run, id(), parentOwner());
                    if (parent != null) {
                        parent.installRecorded(base + at - parent.base, run, recall);
                    }
                }
                at += Math.abs(run);
            }
        } finally {
            tree.unlock();
        }
        if (parent != null) {
            parent.release();
        }
    }

    /**
     * Gives the extent frames that nobody maps, at boot: the root extent has no parent to donate from.
     *
     * @return false when {@code from} does not own them all
     */
    public boolean adopt(long pa, long length, int from) {
        return from != IdSource.IN_TRANSIT && contains(pa - base, length)
                && tree.owners().move(pa, length, from, id());
    }
}
