package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ADDR_INVALID;
import static gunyah.hyp.HypError.ADDR_OVERFLOW;
import static gunyah.hyp.HypError.ARGUMENT_ALIGNMENT;
import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.ARGUMENT_SIZE;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.CSPACE_INSUFFICIENT_RIGHTS;
import static gunyah.hyp.HypError.CSPACE_WRONG_OBJECT_TYPE;
import static gunyah.hyp.HypError.DENIED;
import static gunyah.hyp.HypError.MEMDB_NOT_OWNER;
import static gunyah.hyp.HypError.MEMEXTENT_MAPPINGS_FULL;
import static gunyah.hyp.HypError.MEMEXTENT_TYPE;
import static gunyah.hyp.HypError.NORESOURCES;

import gunyah.hyp.HypError;
import gunyah.hyp.ObjectType;

/**
 * Extents, address spaces and donations. The guest maps into its own address space, so that loads and stores show what
 * a call did; its address space is live, so private pages are locked.
 */
final class MemoryScript {
    private static final long PAGE = Arena.PAGE;
    private static final long PARTIAL = Objects.PARTIAL;
    private static final long PRIVATE = 2;
    private static final long VMMIO = 4;
    private static final long WHOLE_EXTENT = 8;
    private static final long NO_SYNC = 1L << 31;
    private static final long RWX = Objects.MAP_RWX;
    private static final int TO_CHILD = 0;
    private static final int TO_PARENT = 1;
    private static final int TO_SIBLING = 2;
    private static final int TO_PROTECTED = 3;
    private static final int FROM_PROTECTED = 4;
    private static final int ADD_VMMIO = 0;
    private static final int REMOVE_VMMIO = 1;
    private static final int ADD_PRIVATE = 2;
    private static final int REMOVE_PRIVATE = 3;
    private static final long IPA_LIMIT = 1L << 36;

    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final long own;
    private final long pool;
    private final long at;
    /** Where the script's private and VMMIO ranges are, 16 pages each. */
    private final long privateAt;
    private final long vmmioAt;

    MemoryScript(Script script, Arena arena, Objects objects) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        own = arena.addrspace();
        pool = arena.extent();
        at = arena.window();
        privateAt = arena.window() + 0x80_0000;
        vmmioAt = arena.window() + 0x90_0000;
    }

    void run() {
        configuration();
        activation();
        basic();
        sparse();
        mapArguments();
        ranges();
        privatePages();
        vmmioPages();
        donation();
        donationArguments();
        protectedDonation();
        lookup();
        modify();
        addressSpaces();
    }

    private void configuration() {
        script.section("extent configuration");
        long extent = objects.create(ObjectType.MEMEXTENT);
        script.fails(ARGUMENT_ALIGNMENT, 0x31, extent, 0x4000_0800L, PAGE, 7);
        script.fails(ARGUMENT_ALIGNMENT, 0x31, extent, 0x4000_0000L, 0x800, 7);
        for (long attributes : new long[] {3, 8, 1L << 31 | 7, 3 << 8 | 7, 2 << 16 | 7}) {
            script.fails(ARGUMENT_INVALID, 0x31, extent, 0x4000_0000L, PAGE, attributes);
            script.fails(ARGUMENT_INVALID, 0x32, extent, pool, 0, PAGE, attributes);
        }
        script.fails(ARGUMENT_INVALID, 0x31, extent, 0x4000_0000L, 0, 7);
        script.fails(ARGUMENT_INVALID, 0x31, extent, -PAGE, 2 * PAGE, 7);
        script.fails(ARGUMENT_INVALID, 0x31, extent, Long.MAX_VALUE & -PAGE, PAGE, 7);
        script.ok(0x31, extent, arena.extentPa(), PAGE, 7);
        // the partition does not own what the root extent got
        refuseActivation(MEMDB_NOT_OWNER, extent);
        script.fails(ARGUMENT_ALIGNMENT, 0x32, extent, pool, 0x800, PAGE, 7);
        script.fails(ARGUMENT_ALIGNMENT, 0x32, extent, pool, 0, 0x800, 7);
        script.fails(ARGUMENT_INVALID, 0x32, extent, pool, 0, 0, 7);
        script.fails(ADDR_INVALID, 0x32, extent, pool, Arena.PAGES * PAGE, PAGE, 7);
        script.fails(ADDR_INVALID, 0x32, extent, pool, PAGE, Arena.PAGES * PAGE, 7);
        script.fails(ADDR_INVALID, 0x32, extent, pool, -PAGE, 2 * PAGE, 7);
        long reader = objects.newExtent(pool, 0, PAGE, 0x1_0004);
        script.fails(ARGUMENT_INVALID, 0x32, extent, reader, 0, PAGE, 7);
        script.ok(0x32, extent, reader, 0, PAGE, 4);
        refuseActivation(MEMDB_NOT_OWNER, extent);
        objects.delete(extent);
        objects.delete(reader);
    }

    private void refuseActivation(HypError error, long extent) {
        script.fails(error, 0x0C, extent);
        script.fails(error, 0x0D, arena.cspace(), extent);
    }

    private void activation() {
        script.section("extent activation");
        long first = objects.newExtent(pool, 0, 2 * PAGE, Objects.BASIC_RWX);
        long over = objects.derived(pool, PAGE, 2 * PAGE, Objects.BASIC_RWX);
        refuseActivation(MEMDB_NOT_OWNER, over);
        objects.delete(first);
        // the pages are back with the parent
        script.ok(0x0C, over);
        objects.delete(over);
        map(at, 0x10 * PAGE, PAGE);
        long half = objects.derived(pool, 0x10 * PAGE, 2 * PAGE, Objects.BASIC_RWX);
        refuseActivation(DENIED, half);
        script.ok(0x2C, own, pool, at, PARTIAL, 0x10 * PAGE, PAGE);
        script.ok(0x0C, half);
        objects.delete(half);
        script.ok(0x60, own, privateAt, 16 * PAGE, ADD_PRIVATE);
        script.ok(0x2B, own, pool, privateAt, RWX, PARTIAL | PRIVATE, 0x10 * PAGE, PAGE);
        half = objects.derived(pool, 0x10 * PAGE, PAGE, Objects.BASIC_RWX);
        refuseActivation(BUSY, half);
        objects.delete(half);
        releasePrivate(0x10 * PAGE);
        script.ok(0x60, own, privateAt, 16 * PAGE, REMOVE_PRIVATE);
    }

    /** Unlocks and unmaps the first private page. */
    private void releasePrivate(long offset) {
        script.ok(0x69, own, privateAt, PAGE, 1).gives(0);
        script.ok(0x2C, own, pool, privateAt, PARTIAL | PRIVATE, offset, PAGE);
    }

    private void map(long ipa, long offset, long size) {
        script.ok(0x2B, own, pool, ipa, RWX, PARTIAL, offset, size);
    }

    private void basic() {
        script.section("basic extent");
        long extent = objects.newExtent(pool, 4 * PAGE, 2 * PAGE, Objects.BASIC_RWX);
        script.loadAborts(at);
        // offset and size do not count for such an extent
        script.ok(0x2B, own, extent, at, RWX, PARTIAL, 0x800, 0x123);
        script.load(at, 8, arena.word(4 * PAGE));
        script.load(at + PAGE, 8, arena.word(5 * PAGE));
        script.loadAborts(at + 2 * PAGE);
        script.store(at, 8, 0x55);
        script.load(at, 8, 0x55);
        script.store(at, 8, arena.word(4 * PAGE));
        script.ok(0x2D, own, extent, at, 0x44, 0, 0, 0);
        script.load(at, 8, arena.word(4 * PAGE));
        script.storeAborts(at);
        script.ok(0x2D, own, extent, at, 0x77, NO_SYNC, 0, 0);
        script.ok(0x30, extent, 255, 0, 0);
        script.store(at, 8, arena.word(4 * PAGE));
        for (int i = 1; i < 4; i++) {
            script.ok(0x2B, own, extent, at + 0x1_0000L * i, 0xF_0044, 0, 0, 0);
            script.load(at + 0x1_0000L * i, 8, arena.word(4 * PAGE));
        }
        script.fails(MEMEXTENT_MAPPINGS_FULL, 0x2B, own, extent, at + 0x5_0000, RWX, 0, 0, 0);
        script.ok(0x2C, own, extent, at, 0, 0, 0);
        script.loadAborts(at);
        script.load(at + 0x1_0000, 8, arena.word(4 * PAGE));
        script.ok(0x2C, own, extent, 0, WHOLE_EXTENT, 0, 0);
        script.loadAborts(at + 0x1_0000);
        script.loadAborts(at + 0x3_0000);
        for (int call : new int[] {0x2B, 0x2D}) {
            script.fails(ADDR_OVERFLOW, call, own, extent, -PAGE, 0x77, 0, 0, 0);
        }
        script.fails(ADDR_OVERFLOW, 0x2C, own, extent, -PAGE, 0, 0, 0);
        script.fails(MEMEXTENT_TYPE, 0x61, TO_CHILD, pool, extent, 0, PAGE);
        objects.delete(extent);
    }

    private void sparse() {
        script.section("sparse extent");
        map(at, 8 * PAGE, 4 * PAGE);
        script.load(at + 3 * PAGE, 8, arena.word(11 * PAGE));
        script.ok(0x2C, own, pool, at + PAGE, PARTIAL, 9 * PAGE, 2 * PAGE);
        script.load(at, 8, arena.word(8 * PAGE));
        script.loadAborts(at + PAGE);
        script.loadAborts(at + 2 * PAGE);
        script.load(at + 3 * PAGE, 8, arena.word(11 * PAGE));
        // over a mapping: replaced
        map(at + 3 * PAGE, 12 * PAGE, PAGE);
        script.load(at + 3 * PAGE, 8, arena.word(12 * PAGE));
        script.ok(0x2D, own, pool, at, 0x44, PARTIAL, 8 * PAGE, PAGE);
        script.storeAborts(at);
        script.ok(0x2C, own, pool, 0, WHOLE_EXTENT | NO_SYNC, 0, 0);
        script.ok(0x30, pool, 255, 0, 0);
        script.loadAborts(at);
        script.loadAborts(at + 3 * PAGE);
    }

    private void mapArguments() {
        script.section("arguments of map, unmap, update_access");
        map(at, 0, PAGE);
        for (int call : new int[] {0x2B, 0x2D}) {
            for (long flags : new long[] {0x10, 1 << 30, PRIVATE | VMMIO, WHOLE_EXTENT}) {
                script.fails(ARGUMENT_INVALID, call, own, pool, at, 0x77, flags, 0, PAGE);
            }
            for (long attributes : new long[] {0x08, 0x80, 0x100, 1 << 24, 0x33, 0x30, 3}) {
                script.fails(ARGUMENT_INVALID, call, own, pool, at, attributes, PARTIAL, 0, PAGE);
            }
            script.fails(ARGUMENT_ALIGNMENT, call, own, pool, at + 8, 0x77, PARTIAL, 0, PAGE);
            script.fails(ARGUMENT_ALIGNMENT, call, own, pool, at, 0x77, PARTIAL, 8, PAGE);
            script.fails(ARGUMENT_ALIGNMENT, call, own, pool, at, 0x77, PARTIAL, 0, 8);
            for (long[] range : new long[][] {{0, 0}, {Arena.PAGES * PAGE, PAGE}, {PAGE, Arena.PAGES * PAGE},
                    {-PAGE, PAGE}, {-PAGE, 2 * PAGE}, {0, -PAGE}, {Long.MIN_VALUE, PAGE}}) {
                script.fails(ARGUMENT_SIZE, call, own, pool, at, 0x77, PARTIAL, range[0], range[1]);
            }
            for (long ipa : new long[] {IPA_LIMIT, IPA_LIMIT - PAGE, 1L << 48, Long.MIN_VALUE}) {
                script.fails(ADDR_INVALID, call, own, pool, ipa, 0x77, PARTIAL, 0, 2 * PAGE);
            }
            script.fails(DENIED, call, own, pool, at, 0x77, PARTIAL | PRIVATE, 0, PAGE);
            script.fails(DENIED, call, own, pool, at, 0x66, PARTIAL | VMMIO, 0, PAGE);
        }
        for (long flags : new long[] {0x10, PRIVATE | VMMIO, PARTIAL | WHOLE_EXTENT}) {
            script.fails(ARGUMENT_INVALID, 0x2C, own, pool, at, flags, 0, PAGE);
        }
        script.fails(ARGUMENT_ALIGNMENT, 0x2C, own, pool, at + 8, PARTIAL, 0, PAGE);
        script.fails(ARGUMENT_SIZE, 0x2C, own, pool, at, PARTIAL, 0, 0);
        script.fails(ARGUMENT_SIZE, 0x2C, own, pool, at, PARTIAL, Arena.PAGES * PAGE, PAGE);
        script.fails(ADDR_INVALID, 0x2C, own, pool, at + PAGE, PARTIAL, 0, PAGE);
        script.fails(ADDR_INVALID, 0x2C, own, pool, at, PARTIAL, 0, 2 * PAGE);
        script.fails(ADDR_INVALID, 0x2C, own, pool, IPA_LIMIT, PARTIAL, 0, PAGE);
        script.fails(DENIED, 0x2C, own, pool, at, PARTIAL | VMMIO, 0, PAGE);
        script.fails(BUSY, 0x2C, own, pool, at, PARTIAL | PRIVATE, 0, PAGE);
        script.load(at, 8, arena.word(0));
        script.ok(0x2C, own, pool, at, PARTIAL, 0, PAGE);
        // what the extent may is what a mapping may
        long reader = objects.newExtent(pool, 0, PAGE, 0x1_0004);
        script.fails(ARGUMENT_INVALID, 0x2B, own, reader, at, 0xF_0066, PARTIAL, 0, PAGE);
        script.fails(ARGUMENT_INVALID, 0x2D, own, reader, at, 0x66, PARTIAL, 0, PAGE);
        objects.delete(reader);
        rights();
    }

    private void rights() {
        long[] spaceLacks = {1L << 1, 1L << 4, 1L << 4};
        long[] extentLacks = {1, 1L << 7, 1};
        long[] kinds = {0, PRIVATE, VMMIO};
        for (int i = 0; i < kinds.length; i++) {
            long space = objects.copy(own, Objects.ALL & ~spaceLacks[i]);
            long extent = objects.copy(pool, Objects.ALL & ~extentLacks[i]);
            long flags = PARTIAL | kinds[i];
            for (long[] pair : new long[][] {{space, pool}, {own, extent}}) {
                script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x2B, pair[0], pair[1], at, 0xF_0066, flags, 0, PAGE);
                script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x2C, pair[0], pair[1], at, flags, 0, PAGE);
                script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x2D, pair[0], pair[1], at, 0x66, flags, 0, PAGE);
            }
            objects.delete(space);
            objects.delete(extent);
        }
    }

    private void ranges() {
        script.section("ranges");
        long space = objects.newAddrspace(1);
        long base = 0x1_0000;
        script.fails(ARGUMENT_INVALID, 0x60, space, base, PAGE, 4);
        script.fails(ARGUMENT_INVALID, 0x60, space, base, PAGE, -1);
        script.fails(ARGUMENT_SIZE, 0x60, space, base, 0, ADD_VMMIO);
        script.fails(ARGUMENT_ALIGNMENT, 0x60, space, base + 1, PAGE, ADD_VMMIO);
        script.fails(ARGUMENT_ALIGNMENT, 0x60, space, base, PAGE + 1, ADD_VMMIO);
        script.fails(ADDR_OVERFLOW, 0x60, space, -PAGE, 2 * PAGE, ADD_VMMIO);
        script.fails(ADDR_INVALID, 0x60, space, 1L << 48, PAGE, ADD_VMMIO);
        script.fails(ADDR_INVALID, 0x60, space, (1L << 48) - PAGE, 2 * PAGE, ADD_PRIVATE);
        script.ok(0x60, space, base, 4 * PAGE, ADD_VMMIO);
        script.fails(BUSY, 0x60, space, base + PAGE, PAGE, ADD_VMMIO);
        script.fails(ARGUMENT_INVALID, 0x60, space, base - PAGE, 2 * PAGE, ADD_VMMIO);
        script.fails(ARGUMENT_INVALID, 0x60, space, base + PAGE, PAGE, ADD_PRIVATE);
        script.fails(ARGUMENT_INVALID, 0x60, space, base, PAGE, REMOVE_VMMIO);
        script.fails(ARGUMENT_INVALID, 0x60, space, base, 4 * PAGE, REMOVE_PRIVATE);
        for (int i = 1; i < 128; i++) {
            script.ok(0x60, space, base + 8 * i * PAGE, PAGE, i % 2 == 0 ? ADD_VMMIO : ADD_PRIVATE);
        }
        script.fails(NORESOURCES, 0x60, space, base + 8 * 128 * PAGE, PAGE, ADD_VMMIO);
        script.ok(0x60, space, base, 4 * PAGE, REMOVE_VMMIO);
        script.ok(0x60, space, base + 8 * 128 * PAGE, PAGE, ADD_PRIVATE);
        script.reserved(0x60, space, base + 8 * 128 * PAGE, PAGE, REMOVE_PRIVATE);
        objects.delete(space);
        script.ok(0x60, objects.init(ObjectType.ADDRSPACE), base, PAGE, ADD_VMMIO);
        script.ok(0x60, objects.init(ObjectType.ADDRSPACE), base, PAGE, REMOVE_VMMIO);
    }

    private void privatePages() {
        script.section("private pages");
        long page = 0x20 * PAGE;
        long other = 0x21 * PAGE;
        script.ok(0x60, own, privateAt, 16 * PAGE, ADD_PRIVATE);
        script.fails(DENIED, 0x2B, own, pool, privateAt + 15 * PAGE, RWX, PARTIAL | PRIVATE, page, 2 * PAGE);
        script.ok(0x2B, own, pool, privateAt, RWX, PARTIAL | PRIVATE, page, PAGE);
        script.load(privateAt, 8, arena.word(page));
        script.fails(BUSY, 0x2B, own, pool, privateAt + PAGE, RWX, PARTIAL | PRIVATE, page, PAGE);
        script.fails(BUSY, 0x2B, own, pool, at, RWX, PARTIAL, page, PAGE);
        script.fails(BUSY, 0x2B, own, pool, privateAt, RWX, PARTIAL, other, PAGE);
        script.fails(BUSY, 0x2D, own, pool, privateAt, 0x44, PARTIAL, page, PAGE);
        script.fails(BUSY, 0x2C, own, pool, privateAt, PARTIAL | PRIVATE, page, PAGE);
        script.fails(BUSY, 0x2C, own, pool, privateAt, PARTIAL, page, PAGE);
        script.fails(BUSY, 0x2C, own, pool, 0, WHOLE_EXTENT, 0, 0);
        script.fails(BUSY, 0x30, pool, 0, 0, 0);
        modifyPages();
        releasePrivate(page);
        script.loadAborts(privateAt);
        // zeroed on the way, unless its guest said that it may be seen
        map(at, page, PAGE);
        script.load(at, 8, 0);
        script.store(at, 8, 0x1234);
        script.ok(0x2C, own, pool, at, PARTIAL, page, PAGE);
        script.ok(0x2B, own, pool, privateAt, RWX, PARTIAL | PRIVATE, page, PAGE);
        script.ok(0x69, own, privateAt, PAGE, 1 | 8).gives(0);
        script.ok(0x2C, own, pool, privateAt, PARTIAL | PRIVATE, page, PAGE);
        map(at, page, PAGE);
        script.load(at, 8, 0x1234);
        script.ok(0x2C, own, pool, at, PARTIAL, page, PAGE);
        long child = objects.newExtent(pool, 0x30 * PAGE, PAGE, Objects.SPARSE_RWX);
        script.fails(MEMDB_NOT_OWNER, 0x2B, own, child, privateAt, RWX, PARTIAL | PRIVATE, 0, PAGE);
        objects.delete(child);
        script.ok(0x60, own, privateAt, 16 * PAGE, REMOVE_PRIVATE);
    }

    private void modifyPages() {
        script.fails(ARGUMENT_INVALID, 0x69, own, privateAt, PAGE, 0x10);
        script.fails(ARGUMENT_ALIGNMENT, 0x69, own, privateAt + 8, PAGE, 1);
        script.fails(ARGUMENT_ALIGNMENT, 0x69, own, privateAt, 8, 1);
        script.fails(ARGUMENT_SIZE, 0x69, own, privateAt, 0, 1);
        script.fails(ADDR_INVALID, 0x69, own, IPA_LIMIT, PAGE, 1);
        script.fails(ADDR_INVALID, 0x69, own, privateAt, -PAGE, 1);
        script.ok(0x69, own, privateAt, PAGE, 0).gives(0);
        script.fails(BUSY, 0x2C, own, pool, privateAt, PARTIAL | PRIVATE, 0x20 * PAGE, PAGE);
        // 0 names the caller's own, unless it is a capability
        script.ok(0x69, 0, at, PAGE, 1).gives(0);
    }

    private void vmmioPages() {
        script.section("pages in a VMMIO range");
        long page = 0x22 * PAGE;
        script.ok(0x60, own, vmmioAt, 16 * PAGE, ADD_VMMIO);
        script.fails(DENIED, 0x2B, own, pool, vmmioAt, RWX, PARTIAL | VMMIO, page, PAGE);
        script.ok(0x2B, own, pool, vmmioAt, 0xF_0066, PARTIAL | VMMIO, page, PAGE);
        script.load(vmmioAt, 8, arena.word(page));
        script.fails(DENIED, 0x2D, own, pool, vmmioAt, 0x77, PARTIAL | VMMIO, page, PAGE);
        script.ok(0x2D, own, pool, vmmioAt, 0x44, PARTIAL | VMMIO, page, PAGE);
        script.storeAborts(vmmioAt);
        script.ok(0x2C, own, pool, vmmioAt, PARTIAL | VMMIO, page, PAGE);
        script.loadAborts(vmmioAt);
        script.ok(0x60, own, vmmioAt, 16 * PAGE, REMOVE_VMMIO);
    }

    private void donation() {
        script.section("donation");
        long child = objects.newExtent(pool, 0x40 * PAGE, 4 * PAGE, Objects.SPARSE_RWX);
        long sibling = objects.newExtent(pool, 0x40 * PAGE, 8 * PAGE, Objects.SPARSE_RWX);
        script.ok(0x2B, own, child, at, RWX, PARTIAL, 0, 2 * PAGE);
        script.loadAborts(at);
        // pages that come into a mapped range are mapped, pages that go are not
        script.ok(0x61, TO_CHILD, pool, child, 0, PAGE);
        script.load(at, 8, arena.word(0x40 * PAGE));
        script.loadAborts(at + PAGE);
        script.fails(MEMDB_NOT_OWNER, 0x61, TO_CHILD, pool, child, 0, PAGE);
        script.fails(MEMDB_NOT_OWNER, 0x61, TO_CHILD, pool, child, 0, 2 * PAGE);
        script.fails(MEMDB_NOT_OWNER, 0x61, TO_SIBLING, child, sibling, PAGE, PAGE);
        script.ok(0x61, TO_SIBLING | NO_SYNC, child, sibling, 0, PAGE);
        script.loadAborts(at);
        script.ok(0x61, TO_SIBLING, sibling, child, 0, PAGE);
        script.load(at, 8, arena.word(0x40 * PAGE));
        script.ok(0x61, TO_PARENT, child, pool, 0, PAGE);
        script.loadAborts(at);
        script.fails(MEMDB_NOT_OWNER, 0x61, TO_PARENT, child, pool, 0, PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_SIBLING, child, child, 0, PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_SIBLING, sibling, child, 4 * PAGE, PAGE);
        objects.delete(sibling);
        // an extent that goes gives its pages back
        script.ok(0x61, TO_CHILD, pool, child, 2 * PAGE, PAGE);
        objects.delete(child);
        map(at, 0x42 * PAGE, PAGE);
        script.load(at, 8, arena.word(0x42 * PAGE));
        script.ok(0x2C, own, pool, at, PARTIAL, 0x42 * PAGE, PAGE);
    }

    private void donationArguments() {
        script.section("arguments of donate");
        long child = objects.newExtent(pool, 0x40 * PAGE, 4 * PAGE, Objects.SPARSE_RWX);
        for (long options : new long[] {5, 255, 0x100, 1 << 30}) {
            script.fails(ARGUMENT_INVALID, 0x61, options, pool, child, 0, PAGE);
        }
        script.fails(ARGUMENT_ALIGNMENT, 0x61, TO_CHILD, pool, child, 8, PAGE);
        script.fails(ARGUMENT_ALIGNMENT, 0x61, TO_CHILD, pool, child, 0, 8);
        script.fails(ARGUMENT_SIZE, 0x61, TO_CHILD, pool, child, 0, 0);
        script.fails(ARGUMENT_SIZE, 0x61, TO_CHILD, pool, child, PAGE, -PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_CHILD, pool, child, 4 * PAGE, PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_CHILD, pool, child, 0, 5 * PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_CHILD, child, pool, 0, PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_PARENT, pool, child, 0, PAGE);
        script.fails(ARGUMENT_INVALID, 0x61, TO_CHILD, arena.partition(), child, 0, PAGE);
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x61, TO_PARENT, arena.partition(), pool, 0, PAGE);
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x61, TO_CHILD, pool, arena.partition(), 0, PAGE);
        script.reserved(0x61, TO_CHILD, pool, child, 0, PAGE);
        objects.delete(child);
    }

    private void protectedDonation() {
        script.section("protected donation");
        long guest = objects.newExtent(pool, 0x48 * PAGE, 2 * PAGE, Objects.SPARSE_RWX);
        long host = objects.copy(pool, Objects.ALL & ~(1L << 5));
        long weak = objects.copy(guest, Objects.ALL & ~(1L << 6));
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x61, TO_PROTECTED, host, guest, 0, PAGE);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x61, TO_PROTECTED, pool, weak, 0, PAGE);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x61, FROM_PROTECTED, weak, pool, 0, PAGE);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x61, FROM_PROTECTED, guest, host, 0, PAGE);
        objects.delete(host);
        objects.delete(weak);
        script.ok(0x61, TO_PROTECTED, pool, guest, 0, PAGE);
        script.ok(0x2B, own, guest, at, RWX, PARTIAL, 0, PAGE);
        script.load(at, 8, arena.word(0x48 * PAGE));
        script.fails(BUSY, 0x61, FROM_PROTECTED, guest, pool, 0, PAGE);
        script.ok(0x2C, own, guest, at, PARTIAL, 0, PAGE);
        script.ok(0x61, FROM_PROTECTED, guest, pool, 0, PAGE);
        script.fails(MEMDB_NOT_OWNER, 0x61, FROM_PROTECTED, guest, pool, 0, PAGE);
        objects.delete(guest);
    }

    private void lookup() {
        script.section("lookup");
        map(at, 0x50 * PAGE, 3 * PAGE);
        map(at + 3 * PAGE, 0x55 * PAGE, PAGE);
        script.ok(0x5A, own, pool, at, 8 * PAGE).gives(0x50 * PAGE, 3 * PAGE, RWX);
        script.ok(0x5A, own, pool, at + PAGE, PAGE).gives(0x51 * PAGE, PAGE, RWX);
        script.ok(0x2D, own, pool, at + PAGE, 0x46, PARTIAL, 0x51 * PAGE, PAGE);
        script.ok(0x5A, own, pool, at, 8 * PAGE).gives(0x50 * PAGE, PAGE, RWX);
        script.ok(0x5A, own, pool, at + PAGE, 2 * PAGE).gives(0x51 * PAGE, PAGE, 0xF_0046);
        script.fails(ARGUMENT_SIZE, 0x5A, own, pool, at, 0);
        script.fails(ARGUMENT_ALIGNMENT, 0x5A, own, pool, at + 8, PAGE);
        script.fails(ARGUMENT_ALIGNMENT, 0x5A, own, pool, at, 8);
        script.fails(ADDR_INVALID, 0x5A, own, pool, at + 4 * PAGE, PAGE);
        script.fails(ADDR_INVALID, 0x5A, own, pool, IPA_LIMIT, PAGE);
        script.fails(ADDR_INVALID, 0x5A, own, pool, -PAGE, PAGE);
        script.fails(MEMDB_NOT_OWNER, 0x5A, own, objects.active(ObjectType.MEMEXTENT), at, PAGE);
        script.ok(0x2C, own, pool, 0, WHOLE_EXTENT, 0, 0);
    }

    private void modify() {
        script.section("modify");
        long page = 0x60 * PAGE;
        for (long flags : new long[] {5, 254, 1, 2, 3, 255 | NO_SYNC, 0x100, 1 << 30}) {
            script.fails(ARGUMENT_INVALID, 0x30, pool, flags, page, PAGE);
        }
        for (long op = 1; op <= 3; op++) {
            script.fails(ARGUMENT_ALIGNMENT, 0x30, pool, op | NO_SYNC, page + 8, PAGE);
            script.fails(ARGUMENT_ALIGNMENT, 0x30, pool, op | NO_SYNC, page, 8);
            script.fails(ARGUMENT_SIZE, 0x30, pool, op | NO_SYNC, page, 0);
            script.fails(ARGUMENT_SIZE, 0x30, pool, op | NO_SYNC, Arena.PAGES * PAGE, PAGE);
            script.fails(ARGUMENT_SIZE, 0x30, pool, op | NO_SYNC, -PAGE, PAGE);
        }
        script.ok(0x30, pool, 2 | NO_SYNC, page, PAGE);
        script.ok(0x30, pool, 3 | NO_SYNC, page, PAGE);
        map(at, page, 2 * PAGE);
        script.ok(0x30, pool, 1 | NO_SYNC, page, PAGE);
        script.load(at, 8, 0);
        script.load(at + PAGE, 8, arena.word(page + PAGE));
        script.store(at, 8, arena.word(page));
        script.ok(0x30, pool, 4, 0, 0);
        script.ok(0x30, pool, 0, 0, 0);
        script.loadAborts(at);
        long mapper = objects.copy(pool, 1);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x30, mapper, 1 | NO_SYNC, page, PAGE);
        script.ok(0x30, mapper, 0, 0, 0);
        script.ok(0x30, mapper, 255, 0, 0);
        objects.delete(mapper);
    }

    private void addressSpaces() {
        script.section("address spaces");
        long space = objects.create(ObjectType.ADDRSPACE);
        script.fails(ARGUMENT_INVALID, 0x2E, space, 0);
        script.fails(ARGUMENT_INVALID, 0x2E, space, 0x1_0000);
        // taken by the ACTIVE one of this script
        script.ok(0x2E, space, arena.vmid(0));
        refuseActivation(BUSY, space);
        infoArea(space);
        script.ok(0x2E, space, 0x1_0000 | arena.vmid(2));
        script.ok(0x0C, space);
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x2F, space, objects.active(ObjectType.DOORBELL), 0);
        threads(space);
        objects.delete(space);
    }

    private void infoArea(long space) {
        long area = objects.newExtent(pool, 0x70 * PAGE, PAGE, Objects.BASIC_RWX);
        long reader = objects.newExtent(pool, 0x71 * PAGE, PAGE, 4);
        long large = objects.newExtent(pool, 0xA0 * PAGE, 17 * PAGE, Objects.BASIC_RWX);
        script.fails(ADDR_INVALID, 0x5B, space, area, at + 8);
        script.fails(ARGUMENT_INVALID, 0x5B, space, pool, at);
        script.fails(ARGUMENT_INVALID, 0x5B, space, reader, at);
        script.fails(ARGUMENT_INVALID, 0x5B, space, large, at);
        script.fails(ADDR_INVALID, 0x5B, space, area, IPA_LIMIT);
        script.ok(0x5B, space, area, at);
        objects.delete(area);
        objects.delete(reader);
        objects.delete(large);
    }

    /** There is room for so many vCPUs as physical CPUs are possible. */
    private void threads(long space) {
        long[] threads = new long[65];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = objects.create(ObjectType.THREAD);
            if (i < 64) {
                script.ok(0x2A, space, threads[i]);
            } else {
                script.fails(HypError.NOMEM, 0x2A, space, threads[i]);
            }
        }
        objects.delete(threads[0]);
        script.ok(0x2A, space, threads[64]);
        for (int i = 1; i < threads.length; i++) {
            objects.delete(threads[i]);
        }
    }
}
