package gunyah.hyp.memextent;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.CapResult;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.RequiredState;
import gunyah.hyp.Rights;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.partition.Partition;
import gunyah.memory.PhysicalMemory;
import java.util.List;

/** Hypercalls on memory extents (Gunyah hyp/interfaces/memextent; donate types 3 and 4 from the newer drop). */
public final class MemExtentCalls {
    private static final int TO_CHILD = 0;
    private static final int TO_PARENT = 1;
    private static final int TO_SIBLING = 2;
    private static final int TO_PROTECTED = 3;
    private static final int FROM_PROTECTED = 4;
    private static final int UNMAP_ALL = 0;
    private static final int ZERO = 1;
    private static final int CLEAN = 2;
    private static final int FLUSH = 3;
    private static final int SANITISE_ON_RESET = 4;
    private static final int SYNC = 255;
    private static final int NO_SYNC = 1 << 31;
    private static final long PAGE_OFFSET = PhysicalMemory.PAGE_SIZE - 1;

    private final MemoryTree tree;

    public MemExtentCalls(MemoryTree tree) {
        this.tree = tree;
    }

    /** {@return the rows} */
    public List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x30, "memextent_modify", 0, (caller, none, none2, x) -> modify(caller, x),
                        VALUE, U32, VALUE, VALUE)
                        .inputs("memextent", "flags", "offset", "size")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.BUSY)
                        .note("MEMEXTENT, active: MAP for operations 0 and 4, ATTACH for 1 to 3, no right for 255. "
                                + "Flags are checked first."),
                HypercallRow.of(0x31, "memextent_configure", 0, (caller, extent, none, x) ->
                        ((MemExtent) extent).configure(x[1], x[2], x[3]),
                        init(ObjectType.MEMEXTENT, Rights.OBJECT_ACTIVATE), VALUE, VALUE, U32, RES0)
                        .inputs("memextent", "phys_base", "size", "attributes")
                        .errors(HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x32, "memextent_configure_derive", 0, (caller, extent, parent, x) ->
                        ((MemExtent) extent).derive((MemExtent) parent, x[2], x[3], x[4]),
                        init(ObjectType.MEMEXTENT, Rights.OBJECT_ACTIVATE),
                        active(ObjectType.MEMEXTENT, Rights.MEMEXTENT_DERIVE), VALUE, VALUE, U32, RES0)
                        .inputs("memextent", "parent", "offset", "size", "attributes")
                        .errors(HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_INVALID, HypError.ADDR_INVALID),
                HypercallRow.of(0x61, "memextent_donate", 0, (caller, none, none2, x) -> donate(caller, x),
                        U32, VALUE, VALUE, VALUE, VALUE, RES0)
                        .inputs("options", "from", "to", "offset", "size")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.MEMDB_NOT_OWNER, HypError.MEMEXTENT_TYPE, HypError.BUSY)
                        .note("MEMEXTENT DONATE on both (PARTITION DONATE for a parent partition), active; types 3 "
                                + "and 4: PROTECTED_HOST on the host's, PROTECTED_GUEST on the guest's. Options are "
                                + "checked first."));
    }

    private static HypError modify(Caller caller, long[] x) {
        int flags = (int) x[1];
        int op = flags & 0xFF;
        boolean noSync = (flags & NO_SYNC) != 0;
        if ((flags & ~(0xFF | NO_SYNC)) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        int rights;
        switch (op) {
            case UNMAP_ALL, SANITISE_ON_RESET -> rights = Rights.MEMEXTENT_MAP;
            case ZERO, CLEAN, FLUSH -> rights = Rights.MEMEXTENT_ATTACH;
            case SYNC -> rights = 0;
            default -> {
                return HypError.ARGUMENT_INVALID;
            }
        }
        if ((op == ZERO || op == CLEAN || op == FLUSH) && !noSync || op == SYNC && noSync) {
            return HypError.ARGUMENT_INVALID;
        }
        CapResult found = caller.cspace().resolve(x[0], ObjectType.MEMEXTENT, rights, RequiredState.ACTIVE);
        if (found instanceof HypError error) {
            return error;
        }
        MemExtent extent = (MemExtent) found;
        try {
            return switch (op) {
                case UNMAP_ALL -> extent.mappings().unmapAll(null, noSync);
                case ZERO -> {
                    HypError range = checkRange(extent, x[2], x[3]);
                    yield range == HypError.OK ? extent.zero(x[2], x[3]) : range;
                }
                // there is no cache between a vCPU and memory
                case CLEAN, FLUSH -> checkRange(extent, x[2], x[3]);
                case SYNC -> extent.sync();
                // private memory is always zeroed before it leaves a VM
                default -> HypError.OK;
            };
        } finally {
            extent.release();
        }
    }

    private HypError donate(Caller caller, long[] x) {
        int options = (int) x[0];
        int type = options & 0xFF;
        if ((options & ~(0xFF | NO_SYNC)) != 0 || type > FROM_PROTECTED) {
            return HypError.ARGUMENT_INVALID;
        }
        boolean sync = type == TO_PROTECTED || (options & NO_SYNC) == 0;
        CapResult from = resolve(caller.cspace(), x[1], type == TO_CHILD,
                type == TO_PROTECTED ? Rights.MEMEXTENT_PROTECTED_HOST
                        : type == FROM_PROTECTED ? Rights.MEMEXTENT_PROTECTED_GUEST : Rights.MEMEXTENT_DONATE);
        if (from instanceof HypError error) {
            return error;
        }
        try {
            CapResult to = resolve(caller.cspace(), x[2], type == TO_PARENT,
                    type == TO_PROTECTED ? Rights.MEMEXTENT_PROTECTED_GUEST
                            : type == FROM_PROTECTED ? Rights.MEMEXTENT_PROTECTED_HOST : Rights.MEMEXTENT_DONATE);
            if (to instanceof HypError error) {
                return error;
            }
            try {
                return donate(type, (KernelObject) from, (KernelObject) to, x[3], x[4], sync);
            } finally {
                ((KernelObject) to).release();
            }
        } finally {
            ((KernelObject) from).release();
        }
    }

    /** An extent, or the partition where a parent is meant. */
    private static CapResult resolve(CSpace cspace, long cap, boolean mayBePartition, int rights) {
        CapResult extent = cspace.resolve(cap, ObjectType.MEMEXTENT, rights, RequiredState.ACTIVE);
        if (mayBePartition && extent == HypError.CSPACE_WRONG_OBJECT_TYPE) {
            return cspace.resolve(cap, ObjectType.PARTITION, Rights.PARTITION_DONATE, RequiredState.ACTIVE);
        }
        return extent;
    }

    private HypError donate(int type, KernelObject from, KernelObject to, long offset, long size, boolean sync) {
        MemExtent child = (MemExtent) (type == TO_CHILD || type == TO_PROTECTED ? to : from);
        KernelObject parent = type == TO_CHILD || type == TO_PROTECTED ? from : to;
        if (type == TO_SIBLING ? !siblings(child, (MemExtent) to) : !isParent(parent, child)) {
            return HypError.ARGUMENT_INVALID;
        }
        if (!sparse(from) || !sparse(to)) {
            return HypError.MEMEXTENT_TYPE;
        }
        if (((offset | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (size == 0 || Long.compareUnsigned(offset + size, offset) < 0) {
            return HypError.ARGUMENT_SIZE;
        }
        long pa = child.base() + offset;
        if (!child.contains(offset, size) || !covers(from, pa, size) || !covers(to, pa, size)) {
            return HypError.ARGUMENT_INVALID;
        }
        Donation donation = new Donation(tree, extent(from), from.id(), extent(to), to.id(), pa, size);
        return donation.run(type == FROM_PROTECTED, sync);
    }

    private static boolean siblings(MemExtent from, MemExtent to) {
        return from != to && from.parent() != null && from.parent() == to.parent();
    }

    private static boolean isParent(KernelObject parent, MemExtent child) {
        return parent.id() == child.parentOwner();
    }

    private static boolean sparse(KernelObject owner) {
        return owner instanceof Partition || ((MemExtent) owner).attributes().sparse();
    }

    private static boolean covers(KernelObject owner, long pa, long size) {
        return !(owner instanceof MemExtent extent) || extent.contains(pa - extent.base(), size);
    }

    private static MemExtent extent(KernelObject owner) {
        return owner instanceof MemExtent extent ? extent : null;
    }

    private static HypError checkRange(MemExtent extent, long offset, long size) {
        if (((offset | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        return extent.contains(offset, size) ? HypError.OK : HypError.ARGUMENT_SIZE;
    }
}
