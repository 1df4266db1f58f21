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
import gunyah.hyp.addrspace.Addrspace;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.List;

/**
 * Hypercalls that map extents into address spaces (Gunyah hyp/interfaces/addrspace; Private, VMMIO and WholeExtent from
 * the newer drop). Flags are checked before capabilities, because they decide which rights it takes.
 */
public final class MappingCalls {
    private static final int PARTIAL = 1;
    private static final int PRIVATE = 1 << 1;
    private static final int VMMIO = 1 << 2;
    private static final int WHOLE_EXTENT = 1 << 3;
    private static final int NO_SYNC = 1 << 31;
    private static final long ACCESS_ATTRIBUTES = 0x77;
    private static final long MAP_ATTRIBUTES = 0xFF_0077L;
    private static final int UNLOCK = 1;
    private static final int KEEP_CONTENTS = 1 << 3;
    private static final int MODIFY_FLAGS = 0xF;
    private static final int WX = 3;
    private static final long INFO_AREA_LIMIT = 64 << 10;
    private static final long PAGE_OFFSET = PhysicalMemory.PAGE_SIZE - 1;
    private static final long IPA_LIMIT = 1L << Stage2Table.IPA_BITS;

    private final MemoryTree tree;

    public MappingCalls(MemoryTree tree) {
        this.tree = tree;
    }

    /** {@return the rows} */
    public List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x2B, "addrspace_map", 0, (caller, none, none2, x) -> place(caller, x, true),
                        VALUE, VALUE, VALUE, U32, U32, VALUE, VALUE)
                        .inputs("addrspace", "memextent", "vbase", "map_attrs", "map_flags", "offset", "size")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.ADDR_OVERFLOW, HypError.ADDR_INVALID, HypError.DENIED, HypError.BUSY,
                                HypError.MEMDB_NOT_OWNER, HypError.MEMEXTENT_MAPPINGS_FULL)
                        .note("ADDRSPACE MAP and MEMEXTENT MAP; Private: MAP_PROTECTED and MAP_PRIVATE; VMMIO: "
                                + "MAP_PROTECTED and MAP. Flags are checked first."),
                HypercallRow.of(0x2C, "addrspace_unmap", 0, (caller, none, none2, x) -> unmap(caller, x),
                        VALUE, VALUE, VALUE, U32, VALUE, VALUE)
                        .inputs("addrspace", "memextent", "vbase", "map_flags", "offset", "size")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.ADDR_OVERFLOW, HypError.ADDR_INVALID, HypError.DENIED, HypError.BUSY)
                        .note("Rights as addrspace_map."),
                HypercallRow.of(0x2D, "addrspace_update_access", 0, (caller, none, none2, x) ->
                        place(caller, x, false), VALUE, VALUE, VALUE, U32, U32, VALUE, VALUE)
                        .inputs("addrspace", "memextent", "vbase", "access_attrs", "map_flags", "offset", "size")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.ADDR_OVERFLOW, HypError.ADDR_INVALID, HypError.DENIED, HypError.BUSY)
                        .note("Rights as addrspace_map."),
                HypercallRow.of(0x5B, "addrspace_configure_info_area", 0, (caller, space, extent, x) ->
                        configureInfoArea((Addrspace) space, (MemExtent) extent, x[2]),
                        init(ObjectType.ADDRSPACE, Rights.OBJECT_ACTIVATE),
                        active(ObjectType.MEMEXTENT, Rights.MEMEXTENT_ATTACH), VALUE, RES0)
                        .inputs("addrspace", "memextent", "ipa")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ADDR_INVALID),
                HypercallRow.of(0x5A, "addrspace_lookup", 3, (caller, space, extent, x) ->
                        lookup((Addrspace) space, (MemExtent) extent, x),
                        active(ObjectType.ADDRSPACE, Rights.ADDRSPACE_LOOKUP),
                        active(ObjectType.MEMEXTENT, Rights.MEMEXTENT_LOOKUP), VALUE, VALUE, RES0)
                        .inputs("addrspace", "memextent", "vbase", "size").outputs("offset", "size", "map_attrs")
                        .errors(HypError.ARGUMENT_SIZE, HypError.ARGUMENT_ALIGNMENT, HypError.ADDR_INVALID,
                                HypError.MEMDB_NOT_OWNER),
                HypercallRow.of(0x69, "addrspace_modify_pages", 1, (caller, none, none2, x) ->
                        modifyPages(caller, x), VALUE, VALUE, VALUE, U32)
                        .inputs("addrspace", "vbase", "size", "flags").outputs("remaining")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_ALIGNMENT, HypError.ARGUMENT_SIZE,
                                HypError.ADDR_INVALID)
                        .note("ADDRSPACE MODIFY_PROTECTED, active; capability 0 that does not resolve means the "
                                + "caller's own."));
    }

    /** Map and update_access: both say where what access is to be, and only {@code mapping} has a memory type. */
    private static HypError place(Caller caller, long[] x, boolean mapping) {
        int flags = (int) x[4];
        long attributes = x[3];
        if (!legal(flags, PARTIAL | PRIVATE | VMMIO | NO_SYNC)
                || (attributes & ~(mapping ? MAP_ATTRIBUTES : ACCESS_ATTRIBUTES)) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        return withObjects(caller, x, flags, (space, extent, kind) -> {
            boolean partial = partial(extent, flags);
            long offset = partial ? x[5] : 0;
            long length = partial ? x[6] : extent.size();
            long ipa = x[2];
            HypError range = checkRange(extent, ipa, offset, length);
            if (range != HypError.OK) {
                return range;
            }
            int el0 = (int) attributes & 7;
            int el1 = (int) attributes >>> 4 & 7;
            int memtype = (int) attributes >>> 16;
            // The newer drop also wants W in a private mapping; the v17 host lends read-only pages and needs them.
            if (!allowed(extent, el0, el1) || mapping && !extent.attributes().allowsMemtype(memtype)) {
                return HypError.ARGUMENT_INVALID;
            }
            if (beyond(ipa, length)) {
                return HypError.ADDR_INVALID;
            }
            if (!placeable(space, ipa, length, kind) || kind == MapKind.VMMIO && ((el0 | el1) & Access.X) != 0) {
                return HypError.DENIED;
            }
            boolean noSync = (flags & NO_SYNC) != 0;
            return mapping
                    ? extent.mappings().map(space, ipa, offset, length, Stage2Table.entry(0, el1, el0, memtype), kind,
                            noSync)
                    : extent.mappings().updateAccess(space, ipa, offset, length, el1 | (long) el0 << 3, kind, noSync);
        });
    }

    private static HypError unmap(Caller caller, long[] x) {
        int flags = (int) x[3];
        if (!legal(flags, PARTIAL | PRIVATE | VMMIO | WHOLE_EXTENT | NO_SYNC)
                || (flags & (PARTIAL | WHOLE_EXTENT)) == (PARTIAL | WHOLE_EXTENT)) {
            return HypError.ARGUMENT_INVALID;
        }
        return withObjects(caller, x, flags, (space, extent, kind) -> {
            boolean noSync = (flags & NO_SYNC) != 0;
            if ((flags & WHOLE_EXTENT) != 0) {
                return extent.mappings().unmapAll(space, noSync);
            }
            boolean partial = partial(extent, flags);
            long offset = partial ? x[4] : 0;
            long length = partial ? x[5] : extent.size();
            long ipa = x[2];
            HypError range = checkRange(extent, ipa, offset, length);
            if (range != HypError.OK) {
                return range;
            }
            if (beyond(ipa, length)) {
                return HypError.ADDR_INVALID;
            }
            if (kind == MapKind.VMMIO && !space.insideVmmio(ipa, length)) {
                return HypError.DENIED;
            }
            return extent.mappings().unmap(space, ipa, offset, length, kind, partial, noSync);
        });
    }

    /** Answers the longest prefix that is contiguous in the extent and equal in attributes. */
    private HypError lookup(Addrspace space, MemExtent extent, long[] x) {
        long ipa = x[2];
        long size = x[3];
        if (size == 0) {
            return HypError.ARGUMENT_SIZE;
        }
        if (((ipa | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (beyond(ipa, size)) {
            return HypError.ADDR_INVALID;
        }
        tree.lock();
        try {
            long entry = space.stage2().lookup(ipa);
            if (!Stage2Table.isValid(entry)) {
                return HypError.ADDR_INVALID;
            }
            long pa = Stage2Table.pa(entry);
            long owned = tree.owners().runLength(extent.id(), pa, size);
            if (owned <= 0) {
                return HypError.MEMDB_NOT_OWNER;
            }
            long length = PhysicalMemory.PAGE_SIZE;
            while (length < owned && space.stage2().lookup(ipa + length) == entry + length) {
                length += PhysicalMemory.PAGE_SIZE;
            }
            x[1] = pa - extent.base();
            x[2] = length;
            x[3] = Stage2Table.el0Access(entry) | (long) Stage2Table.el1Access(entry) << 4
                    | (long) Stage2Table.memType(entry) << 16;
            return HypError.OK;
        } finally {
            tree.unlock();
        }
    }

    private static HypError configureInfoArea(Addrspace space, MemExtent extent, long ipa) {
        ExtentAttributes attributes = extent.attributes();
        if (extent.size() > INFO_AREA_LIMIT) {
            return HypError.ARGUMENT_INVALID;
        }
        if ((ipa & PAGE_OFFSET) != 0 || beyond(ipa, extent.size())) {
            return HypError.ADDR_INVALID;
        }
        if (attributes.sparse() || attributes.memtype() != ExtentAttributes.ANY
                || !Access.allows(attributes.access(), Access.RW)) {
            return HypError.ARGUMENT_INVALID;
        }
        space.infoArea(extent);
        return HypError.OK;
    }

    /** A guest without a capability to its own address space says 0 and means that one. */
    private HypError modifyPages(Caller caller, long[] x) {
        CapResult found = caller.cspace().resolve(x[0], ObjectType.ADDRSPACE, Rights.ADDRSPACE_MODIFY_PROTECTED,
                RequiredState.ACTIVE);
        if (found instanceof Addrspace space) {
            try {
                return modifyPages(space, x);
            } finally {
                space.release();
            }
        }
        return x[0] == 0 ? modifyPages(caller.addrspace(), x) : (HypError) found;
    }

    private HypError modifyPages(Addrspace space, long[] x) {
        long ipa = x[1];
        long size = x[2];
        int flags = (int) x[3];
        if ((flags & ~MODIFY_FLAGS) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        if (((ipa | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (size == 0) {
            return HypError.ARGUMENT_SIZE;
        }
        if (beyond(ipa, size)) {
            return HypError.ADDR_INVALID;
        }
        if ((flags & UNLOCK) != 0) {
            tree.lock();
            try {
                space.unlock(ipa, size, (flags & KEEP_CONTENTS) != 0);
            } finally {
                tree.unlock();
            }
        }
        x[1] = 0;
        return HypError.OK;
    }

    private interface Mapping {
        HypError apply(Addrspace space, MemExtent extent, MapKind kind);
    }

    /** Resolves the address space in X0 and the extent in X1 with the rights that the kind of mapping takes. */
    private static HypError withObjects(Caller caller, long[] x, int flags, Mapping mapping) {
        MapKind kind = (flags & PRIVATE) != 0 ? MapKind.PRIVATE
                : (flags & VMMIO) != 0 ? MapKind.VMMIO : MapKind.NORMAL;
        CapResult space = caller.cspace().resolve(x[0], ObjectType.ADDRSPACE,
                kind == MapKind.NORMAL ? Rights.ADDRSPACE_MAP : Rights.ADDRSPACE_MAP_PROTECTED,
                RequiredState.ACTIVE);
        if (space instanceof HypError error) {
            return error;
        }
        try {
            CapResult extent = caller.cspace().resolve(x[1], ObjectType.MEMEXTENT,
                    kind == MapKind.PRIVATE ? Rights.MEMEXTENT_MAP_PRIVATE : Rights.MEMEXTENT_MAP,
                    RequiredState.ACTIVE);
            if (extent instanceof HypError error) {
                return error;
            }
            try {
                return mapping.apply((Addrspace) space, (MemExtent) extent, kind);
            } finally {
                ((KernelObject) extent).release();
            }
        } finally {
            ((KernelObject) space).release();
        }
    }

    private static boolean legal(int flags, int known) {
        return (flags & ~known) == 0 && (flags & (PRIVATE | VMMIO)) != (PRIVATE | VMMIO);
    }

    /** Offset and size count only for a SPARSE extent with the Partial flag. */
    private static boolean partial(MemExtent extent, int flags) {
        return extent.attributes().sparse() && (flags & PARTIAL) != 0;
    }

    private static HypError checkRange(MemExtent extent, long ipa, long offset, long length) {
        if (((ipa | offset | length) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (!extent.contains(offset, length)) {
            return HypError.ARGUMENT_SIZE;
        }
        if (Long.compareUnsigned(ipa + length, ipa) < 0) {
            return extent.attributes().sparse() ? HypError.ARGUMENT_SIZE : HypError.ADDR_OVERFLOW;
        }
        return HypError.OK;
    }

    private static boolean allowed(MemExtent extent, int el0, int el1) {
        return el0 != WX && el1 != WX && Access.allows(extent.attributes().access(), el0 | el1);
    }

    private static boolean beyond(long ipa, long length) {
        return ipa < 0 || ipa >= IPA_LIMIT || length < 0 || length > IPA_LIMIT - ipa;
    }

    private static boolean placeable(Addrspace space, long ipa, long length, MapKind kind) {
        return switch (kind) {
            case NORMAL -> true;
            case PRIVATE -> space.insidePrivate(ipa, length);
            case VMMIO -> space.insideVmmio(ipa, length);
        };
    }
}
