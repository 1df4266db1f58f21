package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ADDR_INVALID;
import static gunyah.hyp.HypError.ADDR_OVERFLOW;
import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.ARGUMENT_SIZE;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.CSPACE_WRONG_OBJECT_TYPE;
import static gunyah.hyp.HypError.DENIED;
import static gunyah.hyp.HypError.NORESOURCES;
import static gunyah.hyp.HypError.OBJECT_CONFIG;
import static gunyah.hyp.HypError.OBJECT_STATE;
import static gunyah.hyp.HypError.VIRQ_BOUND;

import gunyah.hyp.ObjectType;

/** A virtio device of which the guest is both sides: it maps the register page read-only and stores to it. */
final class VirtioScript {
    private static final long PAGE = Arena.PAGE;
    private static final long BASIC_RW = 6;
    private static final long SPARSE_RW = 0x1_0006;
    private static final long READ_ONLY = 0xF_0044;
    private static final long TYPE_VALID = 1 << 6;
    private static final long INPUT = 18;
    private static final int SPI = 50;

    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final long vic;
    /** Where the register page is mapped. */
    private final long at;

    VirtioScript(Script script, Arena arena, Objects objects) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        vic = objects.active(ObjectType.VIC);
        at = arena.window() + 0xA0_0000;
    }

    void run() {
        configuration();
        long page = objects.newExtent(arena.extent(), 0xF1 * PAGE, PAGE, BASIC_RW);
        long device = objects.newVirtio(page, 2, 0, 0);
        script.ok(0x2B, arena.addrspace(), page, at, READ_ONLY, 0, 0, 0);
        features(device);
        queues(device);
        status(device);
        stores();
        interrupts(device);
        script.section("virtio input on another device");
        script.fails(OBJECT_CONFIG, 0x5E, device, 0, 0, 0, 0);
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x5F, device, 1, 0, 1, arena.buffer());
        objects.delete(device);
        script.storeAborts(at + 0x70);
        input(page);
        script.ok(0x2C, arena.addrspace(), page, at, 0, 0, 0);
        objects.delete(page);
    }

    private void configuration() {
        script.section("virtio configuration");
        long device = objects.create(ObjectType.VIRTIO_MMIO);
        script.fails(OBJECT_CONFIG, 0x0C, device);
        long page = objects.newExtent(arena.extent(), 0xF1 * PAGE, PAGE, BASIC_RW);
        long sparse = objects.newExtent(arena.extent(), 0xF2 * PAGE, PAGE, SPARSE_RW);
        long large = objects.newExtent(arena.extent(), 0xF3 * PAGE, 2 * PAGE, BASIC_RW);
        long reader = objects.newExtent(arena.extent(), 0xF5 * PAGE, PAGE, 4);
        script.fails(ARGUMENT_INVALID, 0x49, device, page, 17, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x49, device, page, -1, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x49, device, page, 1, TYPE_VALID, 0);
        script.fails(ARGUMENT_INVALID, 0x49, device, page, 1, TYPE_VALID, 2);
        script.fails(ARGUMENT_INVALID, 0x49, device, sparse, 1, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x49, device, large, 1, 0, 0);
        script.ok(0x49, device, reader, 16, 0, 2);
        script.fails(DENIED, 0x0C, device);
        script.ok(0x49, device, page, 0x7_0000_0010L, TYPE_VALID, INPUT);
        script.ok(0x0C, device);
        script.fails(OBJECT_STATE, 0x49, device, page, 1, 0, 0);
        long second = objects.create(ObjectType.VIRTIO_MMIO);
        script.ok(0x49, second, page, 1, 0, 0);
        script.fails(BUSY, 0x0C, second);
        long child = objects.derived(page, 0, PAGE, BASIC_RW);
        script.fails(BUSY, 0x0C, child);
        for (long cap : new long[] {child, second, device, page, sparse, large, reader}) {
            objects.delete(cap);
        }
    }

    private void features(long device) {
        script.section("virtio features");
        script.fails(ARGUMENT_INVALID, 0x4F, device, 2, 0);
        for (long bits : new long[] {0, 1, 2, 0x43, 0x7F}) {
            script.fails(DENIED, 0x4F, device, 1, bits);
        }
        script.ok(0x4F, device, 1, 0x8000_0003L);
        script.ok(0x4F, device, 0, 0x30);
        script.store(at + 0x14, 4, 1);
        script.load(at + 0x10, 4, 0x8000_0003L);
        script.store(at + 0x14, 4, 0);
        script.load(at + 0x10, 4, 0x30);
        script.store(at + 0x24, 4, 1);
        script.store(at + 0x20, 4, 0xFFFF_0003L);
        script.ok(0x51, device, 0).gives(0);
        script.ok(0x51, device, 1).gives(0xFFFF_0003L);
        script.fails(ARGUMENT_INVALID, 0x51, device, 2);
    }

    private void queues(long device) {
        script.section("virtio queues");
        script.fails(ARGUMENT_INVALID, 0x50, device, 2, 8);
        script.fails(ARGUMENT_INVALID, 0x52, device, 2);
        script.ok(0x50, device, 1, 64);
        script.store(at + 0x30, 4, 1);
        script.load(at + 0x34, 4, 64);
        script.load(at + 0x44, 4, 0);
        script.store(at + 0x38, 4, 32);
        for (int i = 0; i < 6; i++) {
            script.store(at + 0x80 + (i >> 1) * 16 + (i & 1) * 4, 4, 0x8000_0000L + i);
        }
        script.store(at + 0x44, 4, 1);
        script.ok(0x52, device, 1).gives(32, 1, 0x8000_0001_8000_0000L, 0x8000_0003_8000_0002L,
                0x8000_0005_8000_0004L);
        script.ok(0x52, device, 0).gives(0, 0, 0, 0, 0);
        script.store(at + 0x30, 4, 0);
        script.load(at + 0x34, 4, 0);
        script.load(at + 0x44, 4, 0);
        script.store(at + 0x50, 4, 1);
        script.store(at + 0x50, 4, 0);
        script.ok(0x53, device).gives(3, 1);
        script.ok(0x53, device).gives(0, 0);
    }

    private void status(long device) {
        script.section("virtio status");
        script.store(at + 0x70, 4, 0);
        script.ok(0x53, device).gives(0, 0);
        script.store(at + 0x70, 4, 3);
        script.ok(0x53, device).gives(0, 0);
        script.store(at + 0x70, 4, 7);
        script.ok(0x53, device).gives(0, 8);
        script.store(at + 0x70, 4, 0x87);
        script.ok(0x53, device).gives(0, 0x10);
        script.store(at + 0x70, 4, 0);
        script.load(at + 0x70, 4, 0xC7);
        script.ok(0x53, device).gives(0, 2);
        script.ok(0x52, device, 1).gives(32, 0, 0x8000_0001_8000_0000L, 0x8000_0003_8000_0002L,
                0x8000_0005_8000_0004L);
        script.fails(DENIED, 0x4E, device, 1);
        script.ok(0x54, device);
        script.load(at + 0x70, 4, 0);
        script.ok(0x55, device, 0x7_0000_0041L);
        script.load(at + 0x70, 4, 0x41);
        script.ok(0x54, device);
    }

    /** Stores that no register takes. */
    private void stores() {
        script.section("virtio stores");
        script.storeAborts(at);
        script.storeAborts(at + 0x80);
        script.storeAborts(at + 0x100);
        script.store(at + 0x100, 4, 0x1234_5678);
        script.load(at + 0x100, 4, 0x1234_5678);
    }

    private void interrupts(long device) {
        script.section("virtio interrupts");
        long second = objects.active(ObjectType.VIRTIO_MMIO);
        for (int bind : new int[] {0x4A, 0x4C}) {
            script.ok(bind, device, vic, SPI + bind - 0x4A);
            script.fails(VIRQ_BOUND, bind, device, vic, SPI + 10);
            script.fails(BUSY, bind, second, vic, SPI + bind - 0x4A);
            script.fails(ARGUMENT_INVALID, bind, second, vic, 31);
        }
        pending(SPI, false);
        script.ok(0x4E, device, 5);
        pending(SPI, true);
        pending(SPI + 2, false);
        script.load(at + 0x60, 4, 5);
        script.store(at + 0x64, 4, 4);
        script.load(at + 0x60, 4, 1);
        script.store(at + 0x50, 4, 0);
        pending(SPI + 2, true);
        for (int unbind : new int[] {0x4B, 0x4D}) {
            script.ok(unbind, device);
            script.ok(unbind, device);
        }
        pending(SPI, false);
        pending(SPI + 2, false);
    }

    /** The distributor that another script has attached. */
    private void pending(int spi, boolean wanted) {
        script.load(arena.devices() + 0x204, 4, wanted ? 1L << spi - 32 : 0).where(0, 1L << spi - 32);
    }

    private void input(long page) {
        script.section("virtio input");
        long device = objects.newVirtio(page, 2, TYPE_VALID, INPUT);
        long data = arena.buffer();
        script.store(data, 8, 0x7061_6464_6C65_2121L);
        script.fails(ARGUMENT_INVALID, 0x5F, device, 0x11, 0, 8, data);
        script.fails(ARGUMENT_INVALID, 0x5E, device, 0, 0, 33, 0);
        script.fails(ARGUMENT_INVALID, 0x5E, device, 0, 0, 0, 65);
        script.ok(0x5E, device, 0x1122_3344_5566_7788L, 0x21, 1, 1);
        script.fails(BUSY, 0x5E, device, 0, 0, 1, 0);
        script.fails(BUSY, 0x5E, device, 0, 0, 0, 1);
        for (int select : new int[] {0, 4, 0x13}) {
            script.fails(ARGUMENT_INVALID, 0x5F, device, select, 0, 4, data);
        }
        for (int select : new int[] {1, 2, 3, 0x10}) {
            script.fails(ARGUMENT_INVALID, 0x5F, device, select, 1, 4, data);
            script.fails(ARGUMENT_SIZE, 0x5F, device, select, 0, 0, data);
            script.fails(ARGUMENT_SIZE, 0x5F, device, select, 0, 129, data);
            script.fails(ARGUMENT_INVALID, 0x5F, device, select, 0, 4, Arena.NO_STAGE_1);
            script.fails(ADDR_INVALID, 0x5F, device, select, 0, 4, Arena.UNMAPPED);
            script.fails(ADDR_OVERFLOW, 0x5F, device, select, 0, 4, -2);
            script.ok(0x5F, device, select, 0, 4, data);
        }
        script.fails(ARGUMENT_INVALID, 0x5F, device, 0x11, 32, 4, data);
        script.fails(ARGUMENT_INVALID, 0x5F, device, 0x12, 64, 4, data);
        script.ok(0x5F, device, 0x11, 31, 8, data);
        script.ok(0x5F, device, 0x12, 63, 20, data);
        script.fails(NORESOURCES, 0x5F, device, 0x11, 1, 8, data);
        script.fails(NORESOURCES, 0x5F, device, 0x12, 1, 20, data);
        executeOnly(device);
        // eight bytes at once are no access of a driver
        script.storeAborts(at + 0x100);
        objects.delete(device);
    }

    /** Data that may be executed but not read. */
    private void executeOnly(long device) {
        script.ok(0x2B, arena.addrspace(), arena.extent(), arena.window(), 0xF_0011, Objects.PARTIAL, 0, PAGE);
        script.fails(DENIED, 0x5F, device, 1, 0, 4, arena.window());
        script.ok(0x2C, arena.addrspace(), arena.extent(), arena.window(), Objects.PARTIAL, 0, PAGE);
    }
}
