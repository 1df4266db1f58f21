package gunyah.hyp.model;

import gunyah.hyp.HypError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What memory extents, address spaces and ownership are supposed to do, page by page, with maps: a page has one owner;
 * an extent records where its pages are to be mapped; an address space maps what is recorded by the page's owner; a
 * private page is in one place, is replaced by nothing, and is zero when it leaves. One thread. Reference: section 7.
 *
 * <p>Pages are numbers from 0 on; whatever lies outside belongs to {@link #root} for good and is not modelled.
 */
final class MemoryModel {
    static final int R = 4;
    static final int W = 2;
    static final int X = 1;
    private static final int SLOTS = 4;

    enum Kind { NORMAL, PRIVATE, VMMIO }

    record Attributes(int el1, int el0, int memtype, Kind kind) {
    }

    record Recorded(long ipa, Attributes attributes) {
    }

    /** What a stage-2 table says of a page of an address space. */
    record Entry(int page, Attributes attributes, boolean locked, boolean keep) {
        boolean isPrivate() {
            return attributes.kind() == Kind.PRIVATE;
        }
    }

    static final class Space {
        /** By IPA page number. */
        final Map<Long, Entry> table = new HashMap<>();
        final List<long[]> vmmio = new ArrayList<>();
        final List<long[]> isolated = new ArrayList<>();
        boolean live;

        boolean holds(List<long[]> ranges, long ipa, long size) {
            return ranges.stream().anyMatch(range -> range[0] <= ipa && ipa + size <= range[1]);
        }
    }

    static final class Slot {
        final Space space;
        final Map<Integer, Recorded> records = new HashMap<>();

        Slot(Space space) {
            this.space = space;
        }
    }

    static final class Extent {
        final Extent parent;
        final long base;
        final long size;
        final int access;
        final int memtype;
        final boolean sparse;
        final List<Slot> slots = new ArrayList<>();
        boolean active;
        boolean destroyed;
        /** A capability, and one for each child. */
        int references = 1;

        Extent(Extent parent, long base, long size, int access, int memtype, boolean sparse) {
            this.parent = parent;
            this.base = base;
            this.size = size;
            this.access = access;
            this.memtype = memtype;
            this.sparse = sparse;
            if (parent != null) {
                parent.references++;
            }
        }

        boolean contains(long page, long count) {
            return count > 0 && page >= base && page + count <= base + size;
        }
    }

    final Extent[] owner;
    final long[] contents;
    final List<Extent> extents = new ArrayList<>();
    final Extent root;

    /** @param root owner of everything at first; null owners are the partition */
    MemoryModel(int pages, Extent root) {
        owner = new Extent[pages];
        contents = new long[pages];
        this.root = root;
        root.active = true;
        Arrays.fill(owner, root);
        extents.add(root);
    }

    boolean owns(Extent who, int page, int count) {
        for (int p = page; p < page + count; p++) {
            if (owner[p] != who) {
                return false;
            }
        }
        return true;
    }

    // Life cycle.

    HypError activate(Extent extent) {
        int page = (int) extent.base;
        int count = (int) extent.size;
        if (extent.sparse && extent.memtype != 1) {
            extent.active = true;
            return HypError.OK;
        }
        if (!owns(extent.parent, page, count)) {
            return HypError.MEMDB_NOT_OWNER;
        }
        List<Slot> inherited = extent.parent == null ? List.of() : extent.parent.slots;
        for (Slot slot : inherited) {
            int recorded = 0;
            for (int p = page; p < page + count; p++) {
                Recorded record = slot.records.get(p);
                recorded += record == null ? 0 : 1;
                if (record != null && record.attributes().kind() == Kind.PRIVATE) {
                    return HypError.BUSY;
                }
            }
            if (recorded != 0 && recorded != count) {
                return HypError.DENIED;
            }
        }
        for (int p = page; p < page + count; p++) {
            for (Slot slot : inherited) {
                Recorded record = slot.records.get(p);
                if (record != null) {
                    Attributes old = record.attributes();
                    Attributes masked = new Attributes(old.el1() & extent.access, old.el0() & extent.access,
                            old.memtype(), old.kind());
                    record(extent, slot.space, record.ipa(), p, 1, masked);
                    install(slot.space, record.ipa(), p, masked);
                }
            }
            owner[p] = extent;
        }
        extent.active = true;
        return HypError.OK;
    }

    void release(Extent extent) {
        extent.references--;
        if (extent.references > 0) {
            return;
        }
        for (Slot slot : extent.slots) {
            slot.records.forEach((page, record) -> remove(extent, slot.space, record.ipa(), page));
        }
        extent.slots.clear();
        extent.destroyed = true;
        for (int p = 0; p < owner.length; p++) {
            if (owner[p] == extent) {
                owner[p] = extent.parent;
                installRecorded(p);
            }
        }
        if (extent.parent != null) {
            release(extent.parent);
        }
    }

    void destroy(Space space) {
        for (Extent extent : extents) {
            for (Slot slot : extent.slots) {
                if (slot.space == space) {
                    slot.records.forEach((page, record) -> remove(extent, space, record.ipa(), page));
                    slot.records.clear();
                }
            }
            dropEmpty(extent);
        }
    }

    // Tables and records.

    private static void install(Space space, long ipa, int page, Attributes attributes) {
        Entry before = space.table.get(ipa);
        if (before == null || !before.isPrivate()) {
            space.table.put(ipa, new Entry(page, attributes, attributes.kind() == Kind.PRIVATE, false));
        } else if (before.page() == page) {
            space.table.put(ipa, new Entry(page, attributes, before.locked(), before.keep()));
        }
    }

    /** Maps a page wherever its owner wants it. */
    private void installRecorded(int page) {
        if (owner[page] == null) {
            return;
        }
        for (Slot slot : owner[page].slots) {
            Recorded record = slot.records.get(page);
            if (record != null) {
                install(slot.space, record.ipa(), page, record.attributes());
            }
        }
    }

    private void remove(Extent extent, Space space, long ipa, int page) {
        Entry entry = space.table.get(ipa);
        if (owner[page] != extent || entry == null || entry.page() != page) {
            return;
        }
        if (entry.isPrivate() && !entry.keep()) {
            contents[page] = 0;
        }
        space.table.remove(ipa);
    }

    /** The slot whose records do not contradict; a fifth there is not. */
    private static boolean record(Extent extent, Space space, long ipa, int page, int count, Attributes attributes) {
        Slot chosen = null;
        for (Slot slot : extent.slots) {
            boolean fits = slot.space == space;
            for (int i = 0; i < count; i++) {
                Recorded record = slot.records.get(page + i);
                fits &= record == null || record.ipa() == ipa + i;
            }
            if (fits) {
                chosen = slot;
                break;
            }
        }
        if (chosen == null) {
            if (extent.slots.size() == SLOTS) {
                return false;
            }
            chosen = new Slot(space);
            extent.slots.add(chosen);
        }
        for (int i = 0; i < count; i++) {
            for (Slot slot : extent.slots) {
                Recorded record = slot.records.get(page + i);
                if (slot.space == space && record != null && record.ipa() == ipa + i) {
                    slot.records.remove(page + i);
                }
            }
            chosen.records.put(page + i, new Recorded(ipa + i, attributes));
        }
        dropEmpty(extent);
        return true;
    }

    /** The last slot moves into the place of an empty one. */
    private static void dropEmpty(Extent extent) {
        for (int i = extent.slots.size() - 1; i >= 0; i--) {
            if (extent.slots.get(i).records.isEmpty()) {
                Slot last = extent.slots.removeLast();
                if (i < extent.slots.size()) {
                    extent.slots.set(i, last);
                }
            }
        }
    }

    private static boolean anyRecord(Extent extent, int page, int count, boolean onlyPrivate) {
        return extent.slots.stream().anyMatch(slot -> slot.records.entrySet().stream()
                .anyMatch(record -> record.getKey() >= page && record.getKey() < page + count
                        && (!onlyPrivate || record.getValue().attributes().kind() == Kind.PRIVATE)));
    }

    // Calls. IPAs are page numbers here.

    HypError map(Space space, Extent extent, long ipa, int page, int count, Attributes attributes) {
        if (!accessAllowed(extent, attributes.el1(), attributes.el0())
                || !memtypeAllowed(extent, attributes.memtype())) {
            return HypError.ARGUMENT_INVALID;
        }
        if (!placeable(space, ipa, count, attributes)) {
            return HypError.DENIED;
        }
        if (attributes.kind() == Kind.PRIVATE) {
            if (!owns(extent, page, count)) {
                return HypError.MEMDB_NOT_OWNER;
            }
            if (anyRecord(extent, page, count, false)) {
                return HypError.BUSY;
            }
        } else if (anyRecord(extent, page, count, true)) {
            return HypError.BUSY;
        }
        for (int i = 0; i < count; i++) {
            Entry entry = space.table.get(ipa + i);
            if (entry != null && entry.isPrivate()) {
                return HypError.BUSY;
            }
        }
        if (!record(extent, space, ipa, page, count, attributes)) {
            return HypError.MEMEXTENT_MAPPINGS_FULL;
        }
        for (int i = 0; i < count; i++) {
            if (owner[page + i] == extent) {
                install(space, ipa + i, page + i, attributes);
            }
        }
        return HypError.OK;
    }

    private static boolean accessAllowed(Extent extent, int el1, int el0) {
        return el1 != (W | X) && el0 != (W | X) && ((el1 | el0) & ~extent.access) == 0;
    }

    private static boolean memtypeAllowed(Extent extent, int memtype) {
        return switch (memtype) {
            case 0, 1, 2, 3 -> true;
            case 5 -> extent.memtype != 1;
            case 4, 8, 0xC -> false;
            default -> extent.memtype == 0;
        };
    }

    private static boolean placeable(Space space, long ipa, int count, Attributes attributes) {
        return switch (attributes.kind()) {
            case NORMAL -> true;
            case PRIVATE -> space.holds(space.isolated, ipa, count);
            case VMMIO -> space.holds(space.vmmio, ipa, count) && ((attributes.el1() | attributes.el0()) & X) == 0;
        };
    }

    HypError unmap(Space space, Extent extent, long ipa, int page, int count, Kind kind, boolean strict) {
        if (kind == Kind.VMMIO && !space.holds(space.vmmio, ipa, count)) {
            return HypError.DENIED;
        }
        boolean some = false;
        for (int i = 0; i < count; i++) {
            boolean found = find(extent, space, ipa + i, page + i) != null;
            if (found && !releasable(space, ipa + i, page + i, kind)) {
                return HypError.BUSY;
            }
            if (strict && !found) {
                return HypError.ADDR_INVALID;
            }
            some |= found;
        }
        if (!some) {
            return HypError.ADDR_INVALID;
        }
        for (int i = 0; i < count; i++) {
            Slot slot = find(extent, space, ipa + i, page + i);
            if (slot != null) {
                remove(extent, space, ipa + i, page + i);
                slot.records.remove(page + i);
            }
        }
        dropEmpty(extent);
        return HypError.OK;
    }

    private static Slot find(Extent extent, Space space, long ipa, int page) {
        for (Slot slot : extent.slots) {
            Recorded record = slot.records.get(page);
            if (slot.space == space && record != null && record.ipa() == ipa) {
                return slot;
            }
        }
        return null;
    }

    private static boolean releasable(Space space, long ipa, int page, Kind kind) {
        Entry entry = space.table.get(ipa);
        boolean isPrivate = entry != null && entry.page() == page && entry.isPrivate();
        return isPrivate == (kind == Kind.PRIVATE) && !(isPrivate && entry.locked() && space.live);
    }

    HypError unmapAll(Extent extent, Space only) {
        for (Slot slot : extent.slots) {
            for (Map.Entry<Integer, Recorded> record : slot.records.entrySet()) {
                boolean isPrivate = record.getValue().attributes().kind() == Kind.PRIVATE;
                if ((only == null || slot.space == only) && !releasable(slot.space, record.getValue().ipa(),
                        record.getKey(), isPrivate ? Kind.PRIVATE : Kind.NORMAL)) {
                    return HypError.BUSY;
                }
            }
        }
        for (Slot slot : extent.slots) {
            if (only == null || slot.space == only) {
                slot.records.forEach((page, record) -> remove(extent, slot.space, record.ipa(), page));
                slot.records.clear();
            }
        }
        dropEmpty(extent);
        return HypError.OK;
    }

    HypError updateAccess(Space space, Extent extent, long ipa, int page, int count, int el1, int el0, Kind kind) {
        if (!accessAllowed(extent, el1, el0)) {
            return HypError.ARGUMENT_INVALID;
        }
        if (!placeable(space, ipa, count, new Attributes(el1, el0, 0, kind))) {
            return HypError.DENIED;
        }
        for (int i = 0; i < count; i++) {
            Slot slot = find(extent, space, ipa + i, page + i);
            if (slot == null) {
                return HypError.ADDR_INVALID;
            }
            boolean isPrivate = slot.records.get(page + i).attributes().kind() == Kind.PRIVATE;
            if (isPrivate != (kind == Kind.PRIVATE)) {
                return HypError.BUSY;
            }
        }
        for (int i = 0; i < count; i++) {
            Slot slot = find(extent, space, ipa + i, page + i);
            Attributes old = slot.records.get(page + i).attributes();
            Attributes changed = new Attributes(el1, el0, old.memtype(), old.kind());
            slot.records.put(page + i, new Recorded(ipa + i, changed));
            if (owner[page + i] == extent) {
                install(space, ipa + i, page + i, changed);
            }
        }
        return HypError.OK;
    }

    /** @param type 0..4 as in the call; a null extent is the partition */
    HypError donate(int type, Extent from, Extent to, int page, int count) {
        boolean down = type == 0 || type == 3;
        Extent child = down ? to : from;
        Extent parent = down ? from : to;
        boolean related = type == 2 ? from != to && from.parent != null && from.parent == to.parent
                : child.parent == parent;
        if (!related) {
            return HypError.ARGUMENT_INVALID;
        }
        if (from != null && !from.sparse || to != null && !to.sparse) {
            return HypError.MEMEXTENT_TYPE;
        }
        if (from != null && !from.contains(page, count) || to != null && !to.contains(page, count)) {
            return HypError.ARGUMENT_INVALID;
        }
        if (!owns(from, page, count)) {
            return HypError.MEMDB_NOT_OWNER;
        }
        if (from != null && anyRecord(from, page, count, type != 4)) {
            return HypError.BUSY;
        }
        for (int p = page; p < page + count; p++) {
            for (Slot slot : from == null ? List.<Slot>of() : from.slots) {
                Recorded record = slot.records.get(p);
                if (record != null && !sameRecord(to, slot.space, p, record)) {
                    remove(from, slot.space, record.ipa(), p);
                }
            }
        }
        for (int p = page; p < page + count; p++) {
            owner[p] = to;
            installRecorded(p);
        }
        return HypError.OK;
    }

    private static boolean sameRecord(Extent to, Space space, int page, Recorded record) {
        return to != null && to.slots.stream()
                .anyMatch(slot -> slot.space == space && record.equals(slot.records.get(page)));
    }

    void unlock(Space space, long ipa, long count, boolean keep) {
        space.table.replaceAll((at, entry) -> at >= ipa && at < ipa + count && entry.isPrivate()
                ? new Entry(entry.page(), entry.attributes(), false, keep) : entry);
    }

    void zero(Extent extent, int page, int count) {
        for (int p = page; p < page + count; p++) {
            if (owner[p] == extent) {
                contents[p] = 0;
            }
        }
    }

    /** {@return pages that look alike from {@code ipa} on; 0 unmapped, -1 not the extent's} */
    int lookup(Space space, Extent extent, long ipa, int count) {
        Entry first = space.table.get(ipa);
        if (first == null) {
            return 0;
        }
        if (owner[first.page()] != extent) {
            return -1;
        }
        int length = 1;
        while (length < count) {
            int page = first.page() + length;
            Entry wanted = new Entry(page, first.attributes(), first.locked(), first.keep());
            if (page >= owner.length || owner[page] != extent || !wanted.equals(space.table.get(ipa + length))) {
                break;
            }
            length++;
        }
        return length;
    }

    HypError addRange(List<long[]> same, List<long[]> other, long ipa, long count) {
        for (long[] range : same) {
            if (range[0] <= ipa && ipa + count <= range[1]) {
                return HypError.BUSY;
            }
        }
        for (List<long[]> ranges : List.of(same, other)) {
            for (long[] range : ranges) {
                if (ipa < range[1] && range[0] < ipa + count) {
                    return HypError.ARGUMENT_INVALID;
                }
            }
        }
        same.add(new long[] {ipa, ipa + count});
        return HypError.OK;
    }

    HypError removeRange(List<long[]> same, long ipa, long count) {
        return same.removeIf(range -> range[0] == ipa && range[1] == ipa + count) ? HypError.OK
                : HypError.ARGUMENT_INVALID;
    }
}
