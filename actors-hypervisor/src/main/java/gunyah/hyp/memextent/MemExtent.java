package gunyah.hyp.memextent;

import gunyah.hyp.HypError;
import gunyah.hyp.IdSource;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.HypervisorPage;
import gunyah.hyp.addrspace.MappingOwner;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.hyp.partition.Partition;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;

/**
 * A memory extent: a range of physical memory of which it owns some frames, and where those are mapped (Gunyah
 * hyp/mem/memextent_basic, memextent_sparse). A mapping is recorded for a range whatever is owned of it; what is in
 * stage-2 tables is always the records of the owner. BASIC extents own their range from activation and map it whole;
 * SPARSE ones get frames by donation and map any part. Guarded by the memory lock; any thread that is not an object
 * actor's.
 */
public final class MemExtent extends KernelObject implements MappingOwner, HypervisorPage {
    private static final long ADDRESS = 0x0000_FFFF_FFFF_F000L;
    static final long ACCESS_BITS = 0x3F;

    private final MemoryTree tree;
    private final Partition partition;
    private final ExtentSlots slots;
    private final ExtentMappings mappings;
    private MemExtent parent;
    private ExtentAttributes attributes;
    private long base;
    private long size;
    private boolean attached;

    /** Makes an extent in INIT; its memory comes from {@code partition} unless it is derived. */
    public MemExtent(int id, MemoryTree tree, Partition partition) {
        super(ObjectType.MEMEXTENT, id);
        this.tree = tree;
        this.partition = partition;
        this.slots = new ExtentSlots(this);
        this.mappings = new ExtentMappings(this, tree, slots);
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

    ExtentMappings mappings() {
        return mappings;
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

    /** {@return whether it is BASIC: all of its range its own, mapped whole} */
    public boolean isBasic() {
        return attributes != null && !attributes.sparse();
    }

    /** Memextent_attach: from then on nobody takes memory out of it. */
    @Override
    public HypError attach() {
        tree.lock();
        try {
            if (!Access.allows(attributes.access(), Access.RW)) {
                return HypError.DENIED;
            }
            if (attached || !tree.owners().owns(id(), base, size)) {
                return HypError.BUSY;
            }
            attached = true;
            return HypError.OK;
        } finally {
            tree.unlock();
        }
    }

    @Override
    public void clear() {
        zero(0, size);
    }

    @Override
    public void detach() {
        tree.lock();
        try {
            attached = false;
        } finally {
            tree.unlock();
        }
    }

    @Override
    protected void describe(StateText text) {
        tree.lock();
        try {
            if (attributes == null) {
                return;
            }
            text.put("parent", parent).run("frames", base, size, 0, 0).put("access", attributes.access());
            text.put("memtype", attributes.memtype()).put("sparse", attributes.sparse()).put("attached", attached);
            for (int slot = 0; slot < slots.count(); slot++) {
                text.put("mapped_in", slots.space(slot));
                slots.table(slot).describe(text, size);
            }
        } finally {
            tree.unlock();
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
            if (parent != null && parent.attached) {
                return HypError.BUSY;
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

    /** The address space is going: no vCPU is left in it, so its private frames are zeroed at once. */
    @Override
    public void forget(Addrspace addrspace) {
        Recall recall = new Recall(tree.memory());
        tree.lock();
        try {
            mappings.takeOut(addrspace, recall);
            slots.drop(addrspace);
            recall.sanitise();
        } finally {
            tree.unlock();
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
            mappings.takeOut(null, recall);
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
                        parent.mappings.installRecorded(base + at - parent.base, run, recall);
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
