package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.CSPACE_CAP_NULL;
import static gunyah.hyp.HypError.CSPACE_CAP_REVOKED;
import static gunyah.hyp.HypError.CSPACE_INSUFFICIENT_RIGHTS;
import static gunyah.hyp.HypError.CSPACE_WRONG_OBJECT_TYPE;
import static gunyah.hyp.HypError.DENIED;
import static gunyah.hyp.HypError.FAILURE;
import static gunyah.hyp.HypError.OBJECT_STATE;
import static gunyah.hyp.HypError.UNIMPLEMENTED;
import static gunyah.hyp.HypError.VIRQ_BOUND;

import gunyah.hyp.ObjectType;

/** vCPUs and the scheduler: a guest that makes a guest ({@code inner.S}) and runs it to every state of vcpu_run. */
final class VcpuScript {
    private static final long ENTRY = 0x4000_0000L;
    private static final long DEVICE = 0x0900_0000L;
    private static final long SHOW = DEVICE + 8;
    private static final long PRIVATE = 0x5000_0000L;
    private static final long PRIVATE_PAGE = 0x90 * Arena.PAGE;
    private static final int HALT_SPI = 50;
    private static final int WAKEUP_SPI = 51;

    /** READY and BLOCKED come in between. */
    private static final int RUNS = 100;
    private static final int EXPECTS_WAKEUP = 1;
    private static final int POWERED_OFF = 2;
    private static final int VMMIO_READ = 4;
    private static final int VMMIO_WRITE = 5;
    private static final int FAULT = 6;
    private static final int PAGE_FAULT = 7;
    private static final int SYSTEM_RESET = 0x100;
    private static final int RETRY_ACTION = 1;
    private static final int FAULT_ACTION = 2;
    private static final long FROM_WFI = 1;
    private static final long FROM_CPU_SUSPEND = 2;
    private static final long DATA_ABORT = 0x9600_0010L;
    private static final long FETCH_ABORT = 0x8600_0010L;

    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final long vic;
    private long vcpu;
    private long bell;
    private long innerCspace;

    VcpuScript(Script script, Arena arena, Objects objects) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        vic = objects.active(ObjectType.VIC);
    }

    void run() {
        configuration();
        affinity();
        proxy();
        yields();
        makeInner();
        devices();
        pageFaults();
        sleeps();
        reset();
        registers();
        power();
        end();
    }

    private void configuration() {
        script.section("vCPU configuration");
        long thread = objects.create(ObjectType.THREAD);
        script.fails(ARGUMENT_INVALID, 0x34, thread, 1 << 6);
        script.fails(ARGUMENT_INVALID, 0x34, thread, 1L << 40);
        script.ok(0x34, thread, 1L << 63 | 1 << 9 | 1 << 8 | 1);
        script.ok(0x34, thread, 0);
        script.fails(DENIED, 0x46, thread, 63);
        script.fails(DENIED, 0x46, thread, 0xFFFF_FFFFL);
        script.ok(0x46, thread, 62);
        script.ok(0x46, thread, 0);
        for (long ns : new long[] {0, 99_999, 100_000_001, -1, 1L << 32}) {
            script.fails(ARGUMENT_INVALID, 0x47, thread, ns);
        }
        script.ok(0x47, thread, 100_000);
        script.ok(0x47, thread, 100_000_000);
        script.fails(OBJECT_STATE, 0x3A, thread);
        objects.delete(thread);
    }

    private long newActive(long options, int index) {
        long thread = objects.newThread(options, objects.active(ObjectType.CSPACE),
                objects.active(ObjectType.ADDRSPACE), vic, index);
        script.ok(0x0C, thread);
        return thread;
    }

    private void affinity() {
        script.section("affinity");
        long thread = newActive(0, 1);
        script.fails(ARGUMENT_INVALID, 0x3D, thread, 64);
        script.fails(ARGUMENT_INVALID, 0x3D, thread, 2);
        script.fails(ARGUMENT_INVALID, 0x3D, thread, 0xFFFE);
        long mayNotDisable = objects.copy(thread, 1L << 1);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x3D, mayNotDisable, 0xFFFF);
        script.ok(0x3D, mayNotDisable, 1);
        objects.delete(mayNotDisable);
        script.ok(0x3D, thread, 0x1_0000).eventually();
        script.ok(0x3D, thread, 0xFFFF).eventually();
        objects.delete(thread);
        long pinned = objects.newThread(1, objects.active(ObjectType.CSPACE), objects.active(ObjectType.ADDRSPACE),
                vic, 2);
        script.ok(0x3D, pinned, 0);
        script.ok(0x0C, pinned);
        script.fails(DENIED, 0x3D, pinned, 1);
        script.ok(0x3D, pinned, 0);
        objects.delete(pinned);
    }

    private void proxy() {
        script.section("proxy scheduling");
        long thread = newActive(0, 1);
        script.fails(BUSY, 0x65, thread, 0, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x5C, thread, vic, 40, 2);
        script.fails(ARGUMENT_INVALID, 0x5C, thread, vic, 40, 0xFFFF_FFFFL);
        script.fails(ARGUMENT_INVALID, 0x5D, thread, 2);
        for (int type = 0; type < 2; type++) {
            script.fails(ARGUMENT_INVALID, 0x5C, thread, vic, 31, type);
            script.fails(ARGUMENT_INVALID, 0x5C, thread, vic, 32 + 64, type);
        }
        // a call that failed turned nothing on
        script.fails(BUSY, 0x65, thread, 0, 0, 0);
        script.ok(0x5C, thread, vic, 40, 0);
        script.fails(VIRQ_BOUND, 0x5C, thread, vic, 41, 0);
        script.fails(BUSY, 0x5C, thread, vic, 40, 1);
        script.fails(BUSY, 0x65, thread, 0, 0, 0);
        script.ok(0x5C, thread, vic, 41, 1);
        script.ok(0x65, thread, 0, 0, 0).gives(POWERED_OFF, 0, 0, 0);
        for (int type = 0; type < 2; type++) {
            script.ok(0x5D, thread, type);
            script.ok(0x5D, thread, type);
        }
        // once proxy scheduled, always
        script.ok(0x65, thread, 0, 0, 0).gives(POWERED_OFF, 0, 0, 0);
        script.ok(0x68, thread).gives(POWERED_OFF, 0, 0, 0);
        objects.delete(thread);
    }

    private void yields() {
        script.section("yield");
        script.ok(0x3B, 0, 0);
        script.reserved(0x3B, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x3B, 2, 0);
        script.fails(ARGUMENT_INVALID, 0x3B, 0xFFFF, 0);
        script.fails(ARGUMENT_INVALID, 0x3B, 0x1_0000, 0);
        script.fails(ARGUMENT_INVALID, 0x3B, 1L << 31, 0);
        script.fails(ARGUMENT_INVALID, 0x3B, 1, arena.foreign());
        script.fails(CSPACE_CAP_NULL, 0x3B, 1, arena.deleted());
        script.fails(CSPACE_CAP_REVOKED, 0x3B, 1, objects.revoked());
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x3B, 1, vic);
        long target = objects.copy(objects.active(ObjectType.THREAD), Objects.ALL & ~(1L << 4));
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x3B, 1, target);
        objects.delete(target);
        script.fails(OBJECT_STATE, 0x3B, 1, objects.init(ObjectType.THREAD));
        script.ok(0x3B, 1, objects.active(ObjectType.THREAD));
        script.ok(0x3B, 1, arena.vcpu());
    }

    private void makeInner() {
        script.section("a guest of a guest");
        long space = objects.newAddrspace(4);
        innerCspace = objects.newCspace(4);
        long innerVic = objects.newVic(2);
        long group = objects.create(ObjectType.VPM_GROUP);
        script.ok(0x66, group, 1);
        objects.activated(group);
        vcpu = objects.newThread(Objects.PROXY_SCHEDULED, innerCspace, space, innerVic, 0);
        script.ok(0x46, vcpu, 0);
        script.ok(0x3C, group, vcpu, 0);
        script.ok(0x62, space, innerVic, 0, 0x0800_0000L, 0x1_0000, 0);
        script.ok(0x62, space, innerVic, 1, 0x080A_0000L, 0x2_0000, 0);
        script.ok(0x60, space, DEVICE, Arena.PAGE, 0);
        script.ok(0x60, space, PRIVATE, 2 * Arena.PAGE, 2);
        script.ok(0x2B, space, arena.extent(), ENTRY, Objects.MAP_RWX, Objects.PARTIAL, Arena.INNER, Arena.PAGE);
        script.ok(0x0C, vcpu);
        script.ok(0x5C, vcpu, vic, HALT_SPI, 0);
        script.ok(0x5C, vcpu, vic, WAKEUP_SPI, 1);
        script.store(arena.devices() + 0xC0C, 4, 2 << 4 | 2 << 6);
        bell = objects.activated(objects.create(ObjectType.DOORBELL));
        script.ok(0x10, bell, innerVic, 32);
        innerSpace = space;
        script.ok(0x45, group).gives(2);
        script.ok(0x38, vcpu, ENTRY, DEVICE, 0);
        script.ok(0x45, group).gives(1);
        script.fails(BUSY, 0x38, vcpu, ENTRY, DEVICE, 0);
        script.fails(ARGUMENT_INVALID, 0x38, vcpu, ENTRY, DEVICE, 4);
        script.fails(BUSY, 0x64, vcpu, 0, 1, 1);
        script.fails(BUSY, 0x68, vcpu);
        script.fails(ARGUMENT_INVALID, 0x39, vcpu, 0);
    }

    private long innerSpace;

    /** Runs the inner vCPU with an answer to its last exit until it stops as expected. */
    private void stops(long[] answer, long state, long d0, long d1, long d2) {
        script.ok(0x65, vcpu, answer[0], answer[1], answer[2]).gives(state, d0, d1, d2).within(RUNS);
    }

    private void goesOn(long state, long d0, long d1, long d2) {
        stops(new long[3], state, d0, d1, d2);
    }

    private void shows(long[] answer, long value) {
        stops(answer, VMMIO_WRITE, SHOW, 8, value);
    }

    private void shows(long value) {
        shows(new long[3], value);
    }

    private static long[] answer(long r0, long r1, long r2) {
        return new long[] {r0, r1, r2};
    }

    private void refuses(long r0, long r1, long r2) {
        script.fails(UNIMPLEMENTED, 0x65, vcpu, r0, r1, r2);
    }

    /** The last action of the vCPU raised an interrupt at this guest's controller. */
    private void raised(int spi) {
        script.load(arena.devices() + 0x204, 4, 1L << spi - 32).where(0, 1L << spi - 32).within(10_000);
        script.store(arena.devices() + 0x284, 4, 1L << spi - 32);
    }

    private void devices() {
        script.section("device accesses");
        goesOn(VMMIO_READ, DEVICE, 4, 0);
        shows(answer(0xFFFF_FFFF_8000_0001L, 0, 0), 0x8000_0001L);
        goesOn(VMMIO_READ, DEVICE + 16, 1, 0);
        shows(answer(0x80, 0, 0), 0xFFFF_FFFF_FFFF_FF80L);
        goesOn(VMMIO_WRITE, DEVICE + 17, 1, 0xFFFF_FFFF_FFFF_FF80L);
        goesOn(VMMIO_READ, DEVICE + 18, 2, 0);
        refuses(0, 3, 0);
        refuses(0, 0, 1);
        refuses(0, -1, 0);
        script.ok(0x68, vcpu).gives(VMMIO_READ, DEVICE + 18, 2, 0);
        stops(answer(0x55, RETRY_ACTION, 0), VMMIO_READ, DEVICE + 18, 2, 0);
        stops(answer(7, 0, 0), VMMIO_READ, DEVICE + 32, 8, 0);
        shows(answer(0, FAULT_ACTION, 0), DATA_ABORT);
    }

    private void pageFaults() {
        script.section("page faults");
        goesOn(PAGE_FAULT, PRIVATE, 0, 0);
        refuses(0, 1, 0);
        refuses(3, 0, 0);
        refuses(0, 0, 1);
        stops(answer(RETRY_ACTION, 0, 0), PAGE_FAULT, PRIVATE, 0, 0);
        script.ok(0x2B, innerSpace, arena.extent(), PRIVATE, Objects.MAP_RWX, Objects.PARTIAL | 2, PRIVATE_PAGE,
                Arena.PAGE);
        shows(arena.word(PRIVATE_PAGE));
        goesOn(PAGE_FAULT, DEVICE, 0, 0);
        shows(answer(FAULT_ACTION, 0, 0), DATA_ABORT);
        goesOn(PAGE_FAULT, PRIVATE + Arena.PAGE, 1, 0);
        shows(answer(FAULT_ACTION, 0, 0), DATA_ABORT);
        goesOn(PAGE_FAULT, PRIVATE + Arena.PAGE, 2, 0);
        shows(answer(FAULT_ACTION, 0, 0), FETCH_ABORT);
    }

    private void sleeps() {
        script.section("sleeps");
        goesOn(EXPECTS_WAKEUP, 0, FROM_WFI, 0);
        goesOn(EXPECTS_WAKEUP, 0, FROM_WFI, 0);
        script.ok(0x68, vcpu).gives(EXPECTS_WAKEUP, 0, FROM_WFI, 0);
        ring();
        shows(32);
        goesOn(EXPECTS_WAKEUP, 1, FROM_CPU_SUSPEND, 0);
        ring();
        shows(0);
        shows(32);
        goesOn(EXPECTS_WAKEUP, 0x1_0001, FROM_CPU_SUSPEND, 0);
        ring();
        shows(0x1234_5678_9ABC_DEF0L);
        shows(32);
    }

    private void ring() {
        script.ok(0x13, bell, 1);
        script.ok(0x12, bell, 1).gives(0);
        raised(WAKEUP_SPI);
    }

    private void reset() {
        script.section("reset by the guest");
        shows(0x1_0001);
        goesOn(SYSTEM_RESET, 0x8000_0005L | 1L << 62, 0xFEDC_BA98_7654_3210L, 0);
        raised(HALT_SPI);
        script.ok(0x68, vcpu).gives(SYSTEM_RESET, 0x8000_0005L | 1L << 62, 0xFEDC_BA98_7654_3210L, 0);
        goesOn(SYSTEM_RESET, 0x8000_0005L | 1L << 62, 0xFEDC_BA98_7654_3210L, 0);
    }

    private void registers() {
        script.section("registers");
        for (long[] wrong : new long[][] {{3, 0, 0}, {0, 31, 0}, {0, -1, 0}, {1, 1, 0}, {1, 0, 2}, {2, 2, 0},
                {2, 0, 8}, {2, 1, 1}, {0xFFFF_FFFFL, 0, 0}}) {
            script.fails(ARGUMENT_INVALID, 0x64, vcpu, wrong[0], wrong[1], wrong[2]);
        }
        script.ok(0x64, vcpu, 2, 0, 0x1000);
        script.ok(0x64, vcpu, 2, 1, 0x2000);
        long self = script.ok(0x23, arena.cspace(), vcpu, innerCspace, Objects.ALL).saved();
        // an inner guest that switches itself off, with its registers as written
        script.ok(0x64, vcpu, 1, 0, ENTRY);
        script.ok(0x64, vcpu, 0, 0, DEVICE);
        script.ok(0x64, vcpu, 0, 1, 4);
        script.ok(0x64, vcpu, 0, 2, self);
        script.reserved(0x64, vcpu, 0, 2, self);
        script.ok(0x38, vcpu, 0x1234, 0x5678, 3);
        raised(WAKEUP_SPI);
        shows(DENIED.code());
        goesOn(POWERED_OFF, 0, 0, 0);
        script.ok(0x68, vcpu).gives(POWERED_OFF, 0, 0, 0);
    }

    private void begins(long program) {
        script.ok(0x64, vcpu, 0, 1, program);
        script.ok(0x38, vcpu, ENTRY, DEVICE, 0);
        raised(WAKEUP_SPI);
    }

    private void power() {
        script.section("power");
        begins(1);
        goesOn(POWERED_OFF, 0, 0, 0);
        raised(HALT_SPI);
        begins(2);
        goesOn(POWERED_OFF, 0, 0, 0);
        begins(3);
        goesOn(FAULT, 0, 0, 0);
        raised(HALT_SPI);
        script.ok(0x68, vcpu).gives(FAULT, 0, 0, 0);
    }

    private void end() {
        script.section("end of a vCPU");
        script.ok(0x3A, vcpu);
        raised(WAKEUP_SPI);
        script.ok(0x3A, vcpu);
        goesOn(POWERED_OFF, 1, 0, 0);
        script.ok(0x68, vcpu).gives(POWERED_OFF, 1, 0, 0);
        script.fails(FAILURE, 0x38, vcpu, ENTRY, DEVICE, 0);
        script.fails(OBJECT_STATE, 0x64, vcpu, 0, 1, 1);
        objects.delete(vcpu);
        objects.delete(innerSpace);
        objects.delete(innerCspace);
        objects.delete(bell);
    }

    /** Switches the caller off, which is the last of its group or not: nothing follows. */
    static void powerOff(Script script, Arena arena, boolean last, int otherIndex) {
        script.section("switching itself off");
        script.fails(ARGUMENT_INVALID, 0x39, arena.vcpu(), 2);
        if (last) {
            script.smccc(0xC400_0004L, new long[] {otherIndex, 0}, 1).eventually();
            script.fails(DENIED, 0x39, arena.vcpu(), 0);
            script.smccc(0x8400_0002L, new long[0], 0xFFFF_FFFDL);
        } else {
            script.fails(DENIED, 0x39, arena.vcpu(), 1);
        }
        script.ok(0x39, arena.vcpu(), last ? 1 : 0).neverReturns();
    }
}
