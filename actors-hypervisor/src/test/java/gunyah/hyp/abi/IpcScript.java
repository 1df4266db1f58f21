package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ADDR_INVALID;
import static gunyah.hyp.HypError.ADDR_OVERFLOW;
import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.ARGUMENT_SIZE;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.DENIED;
import static gunyah.hyp.HypError.MSGQUEUE_EMPTY;
import static gunyah.hyp.HypError.MSGQUEUE_FULL;
import static gunyah.hyp.HypError.UNIMPLEMENTED;
import static gunyah.hyp.HypError.VIRQ_BOUND;
import static gunyah.hyp.HypError.VIRQ_NOT_BOUND;

import gunyah.hyp.ObjectType;

/** Doorbells and message queues with their interrupts, seen at the distributor of a controller. */
final class IpcScript {
    private static final int HWIRQ_BIND = 0x26;
    private static final int SPI = 32;
    private static final long PUSH = 1;

    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final long vic;
    private final long distributor;

    IpcScript(Script script, Arena arena, Objects objects) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        vic = objects.active(ObjectType.VIC);
        distributor = arena.devices();
    }

    void run() {
        script.section("distributor");
        script.ok(0x62, arena.addrspace(), vic, 0, distributor, 0x1_0000, 0);
        doorbell();
        maskedDoorbell();
        queue();
        queueInterrupts();
        badBuffers();
        thresholds();
        for (int[] call : new int[][] {{0x10, 0x11}, {0x17, 0x19}, {0x18, 0x1A}, {0x43, 0x44}, {HWIRQ_BIND, 0x27}}) {
            binding(call[0], call[1]);
        }
    }

    /** Bit of an SPI 32 to 63 in GICD_ISPENDR1. */
    private void pending(int spi, boolean wanted) {
        script.load(distributor + 0x204, 4, wanted ? 1L << spi - 32 : 0).where(0, 1L << spi - 32);
    }

    private void clearPending() {
        script.store(distributor + 0x284, 4, 0xFFFF_FFFFL);
    }

    private void edge(int spi) {
        script.store(distributor + 0xC00 + 4 * (spi / 16), 4, 2L << 2 * (spi % 16));
    }

    private long newBell() {
        return objects.activated(objects.create(ObjectType.DOORBELL));
    }

    private void doorbell() {
        script.section("doorbell");
        long bell = newBell();
        script.ok(0x12, bell, 0x8000_0000_0000_0001L).gives(0);
        script.ok(0x12, bell, 6).gives(0x8000_0000_0000_0001L);
        script.ok(0x13, bell, 5).gives(0x8000_0000_0000_0007L);
        script.fails(ARGUMENT_INVALID, 0x13, bell, 0);
        script.ok(0x13, bell, -1).gives(0x8000_0000_0000_0002L);
        script.ok(0x12, bell, 0).gives(0);
        script.ok(0x15, bell, 2, 0);
        script.ok(0x12, bell, 5).gives(0);
        // what is masked is seen all the same
        script.ok(0x13, bell, 1).gives(5);
        script.ok(0x14, bell);
        script.ok(0x13, bell, 1).gives(0);
        script.reserved(0x12, bell, 0);
        script.ok(0x11, bell);
        objects.delete(bell);
    }

    private void maskedDoorbell() {
        script.section("doorbell interrupt");
        long bell = newBell();
        script.ok(0x10, bell, vic, SPI);
        pending(SPI, false);
        script.ok(0x12, bell, 1).gives(0);
        pending(SPI, true);
        script.ok(0x15, bell, 0, 0);
        pending(SPI, false);
        script.ok(0x15, bell, 1, 0);
        pending(SPI, true);
        script.ok(0x14, bell);
        pending(SPI, false);
        // level: a masked flag asserts nothing
        script.ok(0x15, bell, 0, 0);
        script.ok(0x12, bell, 1).gives(0);
        pending(SPI, false);
        script.ok(0x14, bell);
        // acknowledged by the assertion: 2 is no longer enabled, 1 still is
        script.ok(0x15, bell, 3, 2);
        script.ok(0x12, bell, 2).gives(0);
        pending(SPI, true);
        // edge: even a masked flag does
        clearPending();
        script.ok(0x14, bell);
        edge(SPI);
        script.ok(0x15, bell, 0, 0);
        script.ok(0x12, bell, 1).gives(0);
        pending(SPI, true);
        script.ok(0x11, bell);
        script.ok(0x11, bell);
        clearPending();
        script.store(distributor + 0xC08, 4, 0);
        objects.delete(bell);
    }

    private void queue() {
        script.section("message queue");
        long queue = objects.newQueue(3, 16);
        long from = arena.buffer();
        long to = arena.buffer() + 0x100;
        script.fails(MSGQUEUE_EMPTY, 0x1C, queue, to, 16).gives(0, 0);
        for (int i = 0; i < 3; i++) {
            script.store(from, 8, 0x1111_0000L + i);
            script.store(from + 8, 8, 0x2222_0000L + i);
            script.ok(0x1B, queue, 8 + 4L * i, from, 0).gives(i < 2 ? 1 : 0);
        }
        script.fails(MSGQUEUE_FULL, 0x1B, queue, 16, from, 0).gives(0);
        script.fails(MSGQUEUE_FULL, 0x1B, queue, 16, from, PUSH).gives(0);
        script.fails(ARGUMENT_SIZE, 0x1B, queue, 0, from, 0).gives(0);
        script.fails(ARGUMENT_SIZE, 0x1B, queue, 17, from, 0).gives(0);
        script.fails(ARGUMENT_SIZE, 0x1B, queue, -1, from, 0).gives(0);
        script.fails(ARGUMENT_SIZE, 0x1B, queue, 1L << 32 | 8, from, 0).gives(0);
        for (int i = 0; i < 3; i++) {
            script.store(to, 8, 0);
            script.store(to + 8, 8, 0x7777_7777_7777_7777L);
            // a buffer that is too small leaves the message
            script.fails(ADDR_OVERFLOW, 0x1C, queue, to, 7 + 4L * i).where(1, 0).where(2, 0);
            script.ok(0x1C, queue, to, 16).gives(8 + 4L * i, i < 2 ? 1 : 0);
            script.load(to, 8, 0x1111_0000L + i);
            // bytes behind the message are not touched
            long low = 0x2222_0000L + i;
            script.load(to + 8, 8, i == 0 ? 0x7777_7777_7777_7777L : i == 1 ? 0x7777_7777_0000_0000L | low : low);
        }
        script.fails(MSGQUEUE_EMPTY, 0x1C, queue, to, 16).gives(0, 0);
        // of the flags only bit 0 counts
        script.ok(0x1B, queue, 16, from, 0xFFFF_FFFE).gives(1);
        script.ok(0x1B, queue, 16, from, 0xFFFF_FFFF_0000_0000L).gives(1);
        script.ok(0x1D, queue);
        script.fails(MSGQUEUE_EMPTY, 0x1C, queue, to, 16).gives(0, 0);
        script.reserved(0x1D, queue);
        objects.delete(queue);
    }

    private void queueInterrupts() {
        script.section("message queue interrupts");
        long queue = objects.newQueue(2, 16);
        long from = arena.buffer();
        edge(SPI + 1);
        script.ok(0x17, queue, vic, SPI);
        script.ok(0x18, queue, vic, SPI + 1);
        script.store(distributor + 0xC08, 4, 2 | 2 << 2);
        script.ok(0x1B, queue, 16, from, 0).gives(1);
        pending(SPI + 1, true);
        pending(SPI, false);
        clearPending();
        // only the exact crossing asserts, or PUSH
        script.ok(0x1B, queue, 16, from, 0).gives(0);
        pending(SPI + 1, false);
        script.ok(0x1C, queue, from, 16).gives(16, 1);
        pending(SPI, true);
        clearPending();
        script.ok(0x1B, queue, 16, from, PUSH).gives(0);
        pending(SPI + 1, true);
        clearPending();
        script.ok(0x1D, queue);
        pending(SPI, true);
        script.ok(0x19, queue);
        script.ok(0x1A, queue);
        script.ok(0x19, queue);
        script.ok(0x1A, queue);
        clearPending();
        script.store(distributor + 0xC08, 4, 0);
        objects.delete(queue);
    }

    private void badBuffers() {
        script.section("buffers that are not there");
        long queue = objects.newQueue(2, 16);
        long good = arena.buffer();
        script.fails(ARGUMENT_INVALID, 0x1B, queue, 16, Arena.NO_STAGE_1, 0).where(1, 0);
        script.fails(ADDR_INVALID, 0x1B, queue, 16, Arena.UNMAPPED, 0).where(1, 0);
        script.fails(ADDR_INVALID, 0x1B, queue, 16, Arena.READ_ONLY + Arena.PAGE - 8, 0).where(1, 0);
        script.fails(ADDR_OVERFLOW, 0x1B, queue, 16, -8, 0).where(1, 0);
        script.fails(MSGQUEUE_EMPTY, 0x1C, queue, good, 16);
        script.ok(0x1B, queue, 16, Arena.READ_ONLY, 0).gives(1);
        script.fails(ARGUMENT_INVALID, 0x1C, queue, Arena.NO_STAGE_1, 16).where(1, 0).where(2, 0);
        script.fails(ADDR_INVALID, 0x1C, queue, Arena.UNMAPPED, 16).where(1, 0).where(2, 0);
        script.fails(DENIED, 0x1C, queue, Arena.READ_ONLY, 16).where(1, 0).where(2, 0);
        script.fails(ADDR_OVERFLOW, 0x1C, queue, -8, 16).where(1, 0).where(2, 0);
        script.ok(0x1C, queue, good, 16).gives(16, 0);
        executeOnly(queue);
        objects.delete(queue);
    }

    /** Memory that may be executed but not read. */
    private void executeOnly(long queue) {
        script.ok(0x2B, arena.addrspace(), arena.extent(), arena.window(), 0xF_0011, Objects.PARTIAL, 0, Arena.PAGE);
        script.fails(DENIED, 0x1B, queue, 16, arena.window(), 0).where(1, 0);
        script.ok(0x2C, arena.addrspace(), arena.extent(), arena.window(), Objects.PARTIAL, 0, Arena.PAGE);
    }

    private void thresholds() {
        script.section("thresholds");
        long queue = objects.newQueue(4, 16);
        for (int call : new int[] {0x1F, 0x20}) {
            script.ok(call, queue, -1, -1);
            script.ok(call, queue, 0xFFFF_FFFFL, 0xFFFF_FFFFL);
            script.fails(UNIMPLEMENTED, call, queue, 1, 0);
            script.fails(ARGUMENT_INVALID, call, queue, 5, -1);
            script.reserved(call, queue, -1, -1);
        }
        script.ok(0x1F, queue, 0, -1);
        script.ok(0x1F, queue, 3, -1);
        script.fails(ARGUMENT_INVALID, 0x1F, queue, 4, -1);
        script.ok(0x20, queue, 1, -1);
        script.ok(0x20, queue, 4, -1);
        script.ok(0x20, queue, -2, -1);
        script.fails(ARGUMENT_INVALID, 0x20, queue, 0, -1);
        objects.delete(queue);
        long fresh = objects.create(ObjectType.MSGQUEUE);
        for (long info : new long[] {0, 4, 16 << 16, 256 | 16 << 16, 4 | 1024 << 16, 1L << 32 | 4 | 16 << 16}) {
            script.fails(ARGUMENT_INVALID, 0x21, fresh, info);
        }
        script.ok(0x21, fresh, 255 | 1023 << 16);
        script.ok(0x21, fresh, 1 | 1 << 16);
        script.ok(0x0C, fresh);
        objects.delete(fresh);
    }

    private void binding(int bind, int unbind) {
        script.section("binding");
        boolean hardware = bind == HWIRQ_BIND;
        long first = hardware ? arena.hwirq() : source(bind);
        long second = hardware ? arena.otherHwirq() : source(bind);
        script.ok(bind, first, vic, SPI);
        script.fails(VIRQ_BOUND, bind, first, vic, SPI);
        script.fails(VIRQ_BOUND, bind, first, vic, SPI + 1);
        script.fails(BUSY, bind, second, vic, SPI);
        for (long virq : new long[] {0, 15, 16, 31, 1 << 24 | SPI, 32 + 64, 1020, 0xFF_FFFF, 0xFFFF_FFFFL}) {
            script.fails(ARGUMENT_INVALID, bind, second, vic, virq);
        }
        // the number has 32 bits
        script.ok(bind, second, vic, 0x7700_0000_0000_0000L | SPI + 63);
        script.ok(unbind, first);
        script.ok(unbind, second);
        script.ok(bind, second, vic, SPI);
        script.ok(unbind, second);
        if (hardware) {
            script.fails(VIRQ_NOT_BOUND, unbind, second);
        } else {
            script.ok(unbind, second);
            objects.delete(first);
            objects.delete(second);
        }
    }

    private long source(int bind) {
        return bind == 0x10 ? newBell() : bind == 0x43 ? objects.activated(objects.create(ObjectType.VPM_GROUP))
                : objects.newQueue(2, 16);
    }
}
