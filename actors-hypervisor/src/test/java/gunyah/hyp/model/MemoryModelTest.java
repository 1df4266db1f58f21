package gunyah.hyp.model;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.Invariant;
import gunyah.hyp.KernelObject;
import gunyah.hyp.Machine;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.PageFlags;
import gunyah.hyp.model.MemoryModel.Attributes;
import gunyah.hyp.model.MemoryModel.Entry;
import gunyah.hyp.model.MemoryModel.Extent;
import gunyah.hyp.model.MemoryModel.Kind;
import gunyah.hyp.model.MemoryModel.Space;
import gunyah.memory.RawMemory;
import gunyah.memory.Stage2Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Random memory calls through the hypercall table: derive, donate of every type, map, unmap, update_access, modify,
 * lookup, ranges, unlock, deletion of extents and address spaces, accesses. After every call the owner and contents of
 * every page and every stage-2 entry are what {@link MemoryModel} says; in the end everything is deleted and every
 * page is the partition's.
 */
class MemoryModelTest {
    private static final int PAGES = 12;
    private static final long PAGE = 0x1000;
    private static final long P0 = Machine.RAM + 0x10_0000;
    private static final long FIRST_IPA = 0x8000_0000L / PAGE;
    private static final long WINDOW = 0x100_0000L / PAGE;
    private static final int WINDOWS = 5;
    private static final int MAX_SPACES = 4;
    private static final int MAX_EXTENTS = 9;
    private static final int PARTIAL = 1;
    private static final int PRIVATE = 2;
    private static final int VMMIO = 4;
    private static final int WHOLE = 8;
    private static final long NO_SYNC = 0x8000_0000L;

    @Test
    @Invariant({18, 19, 20, 21})
    void ownersTablesAndContentsAreTheModelsAfterEveryCall() {
        Set<HypError> seen = EnumSet.noneOf(HypError.class);

        Sequences.run(1500, 100, () -> new Subject(seen));

        assertThat(seen).as("answers that were compared").contains(HypError.OK, HypError.ARGUMENT_INVALID,
                HypError.ARGUMENT_SIZE, HypError.ARGUMENT_ALIGNMENT, HypError.ADDR_INVALID, HypError.DENIED,
                HypError.BUSY, HypError.MEMDB_NOT_OWNER, HypError.MEMEXTENT_MAPPINGS_FULL, HypError.MEMEXTENT_TYPE,
                HypError.OBJECT_STATE);
    }

    private static final class Subject implements Sequences.Subject {
        private final Machine m = Machine.light();
        private final MemoryModel model =
                new MemoryModel(PAGES, new Extent(null, -P0 / PAGE, Machine.SPAN / PAGE, 7, 0, true));
        private final List<Extent> extents = new ArrayList<>(List.of(model.root));
        private final Map<Extent, Long> extentCaps = new HashMap<>(Map.of(model.root, m.rootExtentCap));
        private final Map<Extent, KernelObject> extentObjects = new HashMap<>(Map.of(model.root, m.rootExtent));
        private final Map<Extent, Integer> parities = new HashMap<>(Map.of(model.root, 0));
        private final List<Space> spaces = new ArrayList<>();
        private final Map<Space, Long> spaceCaps = new HashMap<>();
        private final Map<Space, Addrspace> spaceObjects = new HashMap<>();
        private final Set<HypError> seen;
        private int vmid;
        private int[] n;

        Subject(Set<HypError> seen) {
            this.seen = seen;
            addSpace();
            addSpace();
        }

        @Override
        public String step(int[] numbers) {
            n = numbers;
            String what = switch (n[0] % 32) {
                case 0, 1, 2 -> derive();
                case 3 -> configure();
                case 4, 5, 6, 7, 8, 9, 10, 11 -> map();
                case 12, 13, 14, 15 -> unmap();
                case 16, 17 -> updateAccess();
                case 18, 19, 20, 21, 22, 23 -> donate();
                case 24 -> modify();
                case 25 -> lookup();
                case 26 -> deleteExtent();
                case 27 -> changeSpaces();
                case 28 -> range();
                case 29 -> unlock();
                case 30 -> access();
                default -> live();
            };
            compare();
            return what;
        }

        private HypError expect(String what, long x0, HypError wanted) {
            HypError got = HypError.of(x0);
            seen.add(got);
            assertThat(got).as(what).isEqualTo(wanted);
            return got;
        }

        private Extent extent(int number) {
            return extents.get(number % extents.size());
        }

        private Space space(int number) {
            return spaces.get(number % spaces.size());
        }

        private String name(Extent extent) {
            return extent == null ? "partition" : extent == model.root ? "root"
                    : "extent %x".formatted(extentCaps.get(extent));
        }

        private String name(Space space) {
            return "space %x".formatted(spaceCaps.get(space));
        }

        /** One extent never maps two pages to one IPA of a window; two extents may. */
        private long ipa(Extent extent, int window, int page) {
            return FIRST_IPA + window * WINDOW + page + parities.get(extent);
        }

        private int firstPage(Extent extent, int number) {
            int low = (int) Math.max(extent.base, 0);
            int high = (int) Math.min(extent.base + extent.size, PAGES);
            return low + number % (high - low);
        }

        private int pageCount(Extent extent, int first, int number) {
            int high = (int) Math.min(extent.base + extent.size, PAGES);
            return 1 + number % Math.min(3, high - first);
        }

        private static long attributeBits(Extent extent) {
            return extent.access | (long) extent.memtype << 8 | (extent.sparse ? 1 << 16 : 0);
        }

        private void addExtent(Extent extent, long cap) {
            model.extents.add(extent);
            extents.add(extent);
            extentCaps.put(extent, cap);
            extentObjects.put(extent, m.object(cap));
            parities.put(extent, extent.parent != null && !extent.sparse ? parities.get(extent.parent)
                    : extents.size() & 1);
        }

        private String derive() {
            Extent parent = extent(n[1]);
            if (extents.size() >= MAX_EXTENTS || !parent.active) {
                return "nothing";
            }
            boolean whole = n[2] % 3 != 0;
            int first = whole ? (int) Math.max(parent.base, 0) : firstPage(parent, n[3]);
            int count = whole ? (int) Math.min(parent.base + parent.size, PAGES) - first
                    : pageCount(parent, first, n[4]);
            int access = parent.access & new int[] {7, 7, 6, 5, 4, 7}[n[5] % 6];
            int memtype = parent.memtype == 0 ? new int[] {0, 0, 0, 0, 0, 0, 1, 2}[n[6] % 8] : parent.memtype;
            Extent child = new Extent(parent, first, count, access, memtype, n[7] % 4 != 0);
            long cap = m.create(0x04);
            String what = "%x derived from %s, pages %d+%d, access %d memtype %d sparse %s".formatted(cap, name(parent),
                    first, count, access, memtype, child.sparse);
            expect(what, m.call(0x32, cap, extentCaps.get(parent), (first - parent.base) * PAGE, count * PAGE,
                    attributeBits(child)), HypError.OK);
            addExtent(child, cap);
            return what + " " + activate(child);
        }

        private HypError activate(Extent extent) {
            return expect("activate", m.call(0x0C, extentCaps.get(extent), 0), model.activate(extent));
        }

        /** An extent of the partition; or another try to activate one. */
        private String configure() {
            List<Extent> initial = extents.stream().filter(extent -> !extent.active).toList();
            if (!initial.isEmpty()) {
                Extent extent = initial.get(n[1] % initial.size());
                return "activate " + name(extent) + " " + activate(extent);
            }
            if (extents.size() >= MAX_EXTENTS) {
                return "nothing";
            }
            int first = n[2] % 4;
            Extent extent = new Extent(null, first, 1 + n[3] % (PAGES - first), 7, 0, n[4] % 3 != 0);
            long cap = m.create(0x04);
            String what = "%x configured, pages %d+%d sparse %s".formatted(cap, first, extent.size, extent.sparse);
            expect(what, m.call(0x31, cap, P0 + first * PAGE, extent.size * PAGE, attributeBits(extent), 0),
                    HypError.OK);
            addExtent(extent, cap);
            return what + " " + activate(extent);
        }

        private static Kind kind(int number) {
            return number % 5 == 0 ? Kind.VMMIO : number % 5 < 3 ? Kind.PRIVATE : Kind.NORMAL;
        }

        private static int flag(Kind kind) {
            return kind == Kind.PRIVATE ? PRIVATE : kind == Kind.VMMIO ? VMMIO : 0;
        }

        /** Where a mapping call aims at. */
        private final class Aim {
            final Space space = space(n[1]);
            final Extent extent = extent(n[2]);
            final Kind kind = kind(n[3]);
            /** Only SPARSE extents are mapped in part. */
            final boolean partial = extent == model.root || n[4] % 8 != 0;
            final boolean inPart = partial && extent.sparse;
            final int page = inPart ? firstPage(extent, n[5]) : (int) extent.base;
            final int count = inPart ? pageCount(extent, page, n[5] / 16) : (int) extent.size;
            final int window = n[4] / 8 % 4 != 0 ? kind == Kind.PRIVATE ? 3 : kind == Kind.VMMIO ? 4 : n[6] % 3
                    : n[6] % WINDOWS;
            final long ipa = ipa(extent, window, page);
            final long flags = flag(kind) | (partial ? PARTIAL : 0) | (n[6] / 8 % 2 == 0 ? NO_SYNC : 0);
            private final int flaw = inPart ? n[7] % 64 : 63;
            final long ipaBytes = ipa * PAGE + (flaw == 0 ? 8 : 0) + (flaw == 1 ? 1L << 36 : 0);
            final long offset = (page - extent.base) * PAGE + (flaw == 2 ? 0x800 : 0);
            final long size = flaw == 3 ? 0 : flaw == 4 ? Machine.SPAN + PAGE : count * PAGE;

            /** What is wrong before anything is looked at. */
            HypError early() {
                if (!extent.active) {
                    return HypError.OBJECT_STATE;
                }
                return switch (flaw) {
                    case 0, 2 -> HypError.ARGUMENT_ALIGNMENT;
                    case 3, 4 -> HypError.ARGUMENT_SIZE;
                    default -> null;
                };
            }

            boolean beyond() {
                return flaw == 1;
            }

            long[] inputs(long attributes, boolean withAttributes) {
                long spaceCap = spaceCaps.get(space);
                long extentCap = extentCaps.get(extent);
                return withAttributes ? new long[] {spaceCap, extentCap, ipaBytes, attributes, flags, offset, size}
                        : new long[] {spaceCap, extentCap, ipaBytes, flags, offset, size};
            }

            @Override
            public String toString() {
                return "%s %s at IPA page %x of %s, pages %d+%d%s".formatted(kind, name(extent), ipa, name(space), page,
                        count, flaw < 5 ? " flaw " + flaw : "");
            }
        }

        private String map() {
            Aim aim = new Aim();
            int el1 = new int[] {7, 6, 4, 6, 5, 7, 0, 3}[n[7] / 64 % 8];
            int el0 = aim.kind == Kind.VMMIO ? el1 & 6 : new int[] {7, 4, 0, 6}[n[7] / 512 % 4];
            int memtype = new int[] {15, 15, 15, 15, 15, 5, 0, 4}[n[7] / 2048 % 8];
            if (n[7] / 16384 % 4 != 0) {
                el1 &= aim.extent.access & (aim.kind == Kind.VMMIO ? 6 : 7);
                el0 &= aim.extent.access;
            }
            Attributes attributes = new Attributes(el1, el0, memtype, aim.kind);
            String what = "map " + aim + " el1 %d el0 %d memtype %d".formatted(el1, el0, memtype);
            long x0 = m.call(0x2B, aim.inputs(el0 | el1 << 4 | (long) memtype << 16, true));
            HypError error = aim.early();
            if (error == null && aim.beyond()) {
                Space nowhere = new Space();
                error = model.map(nowhere, new Extent(null, aim.page, aim.count, aim.extent.access, aim.extent.memtype,
                        true), aim.ipa, aim.page, aim.count, attributes) == HypError.ARGUMENT_INVALID
                        ? HypError.ARGUMENT_INVALID : HypError.ADDR_INVALID;
            }
            error = error != null ? error
                    : model.map(aim.space, aim.extent, aim.ipa, aim.page, aim.count, attributes);
            return what + " " + expect(what, x0, error);
        }

        private String unmap() {
            if (n[7] / 64 % 16 == 0) {
                Space space = space(n[1]);
                Extent extent = extent(n[2]);
                String what = "unmap all of %s in %s".formatted(name(extent), name(space));
                long x0 = m.call(0x2C, spaceCaps.get(space), extentCaps.get(extent), 0, WHOLE, 0, 0);
                return what + expect(what, x0, extent.active ? model.unmapAll(extent, space) : HypError.OBJECT_STATE);
            }
            Aim aim = new Aim();
            String what = "unmap " + aim;
            long x0 = m.call(0x2C, aim.inputs(0, false));
            HypError error = aim.early();
            error = error != null ? error : aim.beyond() ? HypError.ADDR_INVALID
                    : model.unmap(aim.space, aim.extent, aim.ipa, aim.page, aim.count, aim.kind, aim.inPart);
            return what + " " + expect(what, x0, error);
        }

        private String updateAccess() {
            Aim aim = new Aim();
            int el1 = new int[] {7, 6, 4, 5, 0, 3, 4, 6}[n[7] / 64 % 8] & aim.extent.access;
            int el0 = n[7] / 512 % 8 & aim.extent.access;
            String what = "update access " + aim + " el1 %d el0 %d".formatted(el1, el0);
            long x0 = m.call(0x2D, aim.inputs(el0 | el1 << 4, true));
            HypError error = aim.early();
            if (error == null && aim.beyond()) {
                error = el1 == 3 || el0 == 3 ? HypError.ARGUMENT_INVALID : HypError.ADDR_INVALID;
            }
            error = error != null ? error
                    : model.updateAccess(aim.space, aim.extent, aim.ipa, aim.page, aim.count, el1, el0, aim.kind);
            return what + " " + expect(what, x0, error);
        }

        private String donate() {
            int type = n[1] % 5;
            Extent from = extent(n[2]);
            Extent to = extent(n[3]);
            if (n[4] % 4 != 0) {
                // mostly somebody related
                List<Extent> children = extents.stream().filter(extent -> extent.parent == from).toList();
                Extent parent = extents.contains(from.parent) ? from.parent : null;
                to = switch (type) {
                    case 0, 3 -> children.isEmpty() ? to : children.get(n[3] % children.size());
                    case 1, 4 -> parent == null ? to : parent;
                    default -> {
                        List<Extent> siblings = extents.stream()
                                .filter(extent -> extent.parent == from.parent && extent != from).toList();
                        yield siblings.isEmpty() ? to : siblings.get(n[3] % siblings.size());
                    }
                };
            }
            Extent giver = type == 0 && n[5] % 4 == 0 ? null : from;
            Extent taker = type == 1 && (from.parent == null || n[5] % 4 == 0) ? null : to;
            Extent child = type == 0 || type == 3 ? taker : giver;
            int page = firstPage(child, n[6]);
            int count = pageCount(child, page, n[7]);
            String what = "donate type %d from %s to %s, pages %d+%d".formatted(type, name(giver), name(taker), page,
                    count);
            long options = type | (n[5] / 4 % 2 == 0 ? NO_SYNC : 0);
            long x0 = m.call(0x61, options, giver == null ? m.partitionCap : extentCaps.get(giver),
                    taker == null ? m.partitionCap : extentCaps.get(taker), (page - child.base) * PAGE, count * PAGE, 0);
            boolean active = (giver == null || giver.active) && (taker == null || taker.active);
            return what + " "
                    + expect(what, x0, active ? model.donate(type, giver, taker, page, count) : HypError.OBJECT_STATE);
        }

        private String modify() {
            Extent extent = extent(n[1]);
            int op = n[2] % 3;
            if (op == 0) {
                long x0 = m.call(0x30, extentCaps.get(extent), 0, 0, 0);
                String what = "modify " + name(extent) + " unmap all";
                return what + expect(what, x0, extent.active ? model.unmapAll(extent, null) : HypError.OBJECT_STATE);
            }
            int page = firstPage(extent, n[3]);
            int count = pageCount(extent, page, n[4]);
            String what = "modify " + name(extent) + " op " + (op == 1 ? 1 : 255);
            long x0 = op == 2 ? m.call(0x30, extentCaps.get(extent), 255, 0, 0)
                    : m.call(0x30, extentCaps.get(extent), 1 | NO_SYNC, (page - extent.base) * PAGE, count * PAGE);
            HypError error = expect(what, x0, extent.active ? HypError.OK : HypError.OBJECT_STATE);
            if (op == 1 && error == HypError.OK) {
                model.zero(extent, page, count);
            }
            return what;
        }

        private String lookup() {
            Space space = space(n[1]);
            Extent extent = extent(n[2]);
            long ipa = FIRST_IPA + n[3] % WINDOWS * WINDOW + n[4] % PAGES;
            int count = 1 + n[5] % 4;
            String what = "look up IPA page %x of %s in %s".formatted(ipa, name(space), name(extent));
            long[] x = m.registers(0x5A, spaceCaps.get(space), extentCaps.get(extent), ipa * PAGE, count * PAGE, 0);
            if (!extent.active) {
                return what + expect(what, x[0], HypError.OBJECT_STATE);
            }
            int length = model.lookup(space, extent, ipa, count);
            expect(what, x[0], length > 0 ? HypError.OK
                    : length == 0 ? HypError.ADDR_INVALID : HypError.MEMDB_NOT_OWNER);
            if (length > 0) {
                Entry entry = space.table.get(ipa);
                Attributes attributes = entry.attributes();
                assertThat(x).as(what).startsWith(0, (entry.page() - extent.base) * PAGE, length * PAGE,
                        attributes.el0() | attributes.el1() << 4 | attributes.memtype() << 16);
            }
            return what;
        }

        private String deleteExtent() {
            Extent extent = extent(n[1]);
            if (extent == model.root || n[2] % 3 == 0) {
                return "nothing";
            }
            String what = "delete " + name(extent);
            expect(what, m.call(0x22, m.cspaceCap, extentCaps.get(extent), 0), HypError.OK);
            extents.remove(extent);
            model.release(extent);
            return what;
        }

        private String changeSpaces() {
            if (spaces.size() < MAX_SPACES && (n[1] % 2 == 0 || spaces.size() < 2)) {
                addSpace();
                return "made " + name(spaces.getLast());
            }
            Space space = space(n[2]);
            String what = "delete " + name(space);
            spaces.remove(space);
            expect(what, m.call(0x22, m.cspaceCap, spaceCaps.get(space), 0), HypError.OK);
            model.destroy(space);
            return what;
        }

        private void addSpace() {
            Space space = new Space();
            long cap = m.addrspace(1 + vmid++ % 200);
            spaces.add(space);
            spaceCaps.put(space, cap);
            spaceObjects.put(space, (Addrspace) m.object(cap));
            for (int window : new int[] {0, 3}) {
                range(space, 2, FIRST_IPA + window * WINDOW, PAGES + 1);
            }
            for (int window : new int[] {1, 4}) {
                range(space, 0, FIRST_IPA + window * WINDOW, PAGES + 1);
            }
        }

        private String range(Space space, int op, long ipa, long count) {
            String what = "range op %d at IPA page %x+%d of %s".formatted(op, ipa, count, name(space));
            long x0 = m.call(0x60, spaceCaps.get(space), ipa * PAGE, count * PAGE, op, 0);
            List<long[]> same = op < 2 ? space.vmmio : space.isolated;
            List<long[]> other = op < 2 ? space.isolated : space.vmmio;
            return what + expect(what, x0, op % 2 == 0 ? model.addRange(same, other, ipa, count)
                    : model.removeRange(same, ipa, count));
        }

        private String range() {
            long count = n[4] % 2 == 0 ? PAGES + 1 : 1 + n[4] / 2 % PAGES;
            return range(space(n[1]), n[2] % 4, FIRST_IPA + n[3] % WINDOWS * WINDOW + n[5] % 2, count);
        }

        private String unlock() {
            Space space = space(n[1]);
            long ipa = FIRST_IPA + n[2] % WINDOWS * WINDOW + n[3] % PAGES;
            long count = 1 + n[4] % PAGES;
            boolean keep = n[5] % 3 == 0;
            String what = "unlock IPA pages %x+%d of %s, keep %s".formatted(ipa, count, name(space), keep);
            expect(what, m.call(0x69, spaceCaps.get(space), ipa * PAGE, count * PAGE, keep ? 9 : 1), HypError.OK);
            model.unlock(space, ipa, count, keep);
            return what;
        }

        /** A VM writes or reads a page; what it sees is the page's contents and nobody else's. */
        private String access() {
            Space space = space(n[1]);
            List<Long> mapped = space.table.keySet().stream().sorted().toList();
            long ipa = mapped.isEmpty() || n[2] % 8 == 0 ? FIRST_IPA + n[3] % WINDOWS * WINDOW + n[3] % PAGES
                    : mapped.get(n[3] % mapped.size());
            boolean write = n[4] % 2 == 0;
            String what = "%s IPA page %x of %s".formatted(write ? "write" : "read", ipa, name(space));
            byte[] bytes = new byte[8];
            ByteBuffer value = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            value.putLong(0, n[5] + 1L);
            HypError error = write ? spaceObjects.get(space).view().tryWrite(ipa * PAGE, bytes, 0, 8)
                    : spaceObjects.get(space).view().tryRead(ipa * PAGE, bytes, 0, 8);
            Entry entry = space.table.get(ipa);
            int right = write ? MemoryModel.W : MemoryModel.R;
            expect(what, error.code(), entry == null ? HypError.ADDR_INVALID
                    : (entry.attributes().el1() & right) == 0 ? HypError.DENIED : HypError.OK);
            if (error == HypError.OK && write) {
                model.contents[entry.page()] = n[5] + 1L;
            } else if (error == HypError.OK) {
                assertThat(value.getLong(0)).as(what).isEqualTo(model.contents[entry.page()]);
            }
            return what;
        }

        private String live() {
            Space space = space(n[1]);
            space.live = !space.live;
            if (space.live) {
                spaceObjects.get(space).vcpuMayRun();
            } else {
                spaceObjects.get(space).vcpuExited();
            }
            return name(space) + (space.live ? " has a running vCPU" : " has no vCPU");
        }

        @Override
        public void compare() {
            for (int page = 0; page < PAGES; page++) {
                Extent owner = model.owner[page];
                assertThat(m.owners.owner(P0 + page * PAGE)).as("owner of page %d", page)
                        .isEqualTo(owner == null ? m.partition.id() : extentObjects.get(owner).id());
                assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0 + page * PAGE))).as("contents of page %d", page)
                        .isEqualTo(model.contents[page]);
            }
            for (Space space : spaces) {
                Stage2Table table = spaceObjects.get(space).stage2();
                for (int window = 0; window < WINDOWS; window++) {
                    for (int i = 0; i <= PAGES; i++) {
                        long ipa = FIRST_IPA + window * WINDOW + i;
                        long entry = table.lookup(ipa * PAGE);
                        if (entry != word(space.table.get(ipa))) {
                            assertThat(text(entry)).as("%s, IPA page %x", name(space), ipa)
                                    .isEqualTo(text(word(space.table.get(ipa))));
                        }
                    }
                }
            }
        }

        private static long word(Entry entry) {
            if (entry == null) {
                return 0;
            }
            Attributes attributes = entry.attributes();
            long kind = switch (attributes.kind()) {
                case NORMAL -> 0;
                case PRIVATE -> PageFlags.PRIVATE;
                case VMMIO -> PageFlags.VMMIO;
            };
            return Stage2Table.entry(P0 + entry.page() * PAGE, attributes.el1(), attributes.el0(),
                    attributes.memtype()) | kind | (entry.locked() ? PageFlags.LOCKED : 0)
                    | (entry.keep() ? PageFlags.KEEP_CONTENTS : 0);
        }

        private static String text(long entry) {
            return entry == 0 ? "unmapped" : "page %d el1 %d el0 %d memtype %d flags %x".formatted(
                    (Stage2Table.pa(entry) - P0) / PAGE, Stage2Table.el1Access(entry), Stage2Table.el0Access(entry),
                    Stage2Table.memType(entry), entry >>> 56);
        }

        @Override
        public void close() {
            spaces.forEach(space -> m.call(0x22, m.cspaceCap, spaceCaps.get(space), 0));
            extents.reversed().forEach(extent -> m.call(0x22, m.cspaceCap, extentCaps.get(extent), 0));
            List<KernelObject> left = m.made.stream().filter(object -> object != m.rootSpace
                    && object.state() != KernelObject.State.DESTROYED).toList();
            Set<Integer> owners = new java.util.TreeSet<>();
            for (int page = 0; page < PAGES; page++) {
                owners.add(m.owners.owner(P0 + page * PAGE));
            }
            m.cspace.delete(m.rootSpaceCap);
            m.cspace.delete(m.partitionCap);
            m.cspace.delete(m.cspaceCap);
            m.cspace.release();
            m.close();
            assertThat(left).as("objects that outlive their last capability").isEmpty();
            assertThat(owners).as("owners when every extent is gone").containsExactly(m.partition.id());
        }
    }
}
