package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ADDR_INVALID;
import static gunyah.hyp.HypError.ARGUMENT_ALIGNMENT;
import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.ARGUMENT_SIZE;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.CSPACE_WRONG_OBJECT_TYPE;
import static gunyah.hyp.HypError.DENIED;
import static gunyah.hyp.HypError.IDLE;
import static gunyah.hyp.HypError.UNIMPLEMENTED;

import gunyah.hyp.ObjectType;

/** What the platform is: identity, SMCCC services, PSCI, random numbers; interrupt controllers and VPM groups. */
final class PlatformScript {
    private static final long UNKNOWN = -1;
    /** An SMC32 call zero extends what it answers. */
    private static final long NOT_SUPPORTED_32 = 0xFFFF_FFFFL;
    private static final long[] NONE = {};

    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final int vcpuIndex;

    PlatformScript(Script script, Arena arena, Objects objects, int vcpuIndex) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        this.vcpuIndex = vcpuIndex;
    }

    void run() {
        identity();
        services();
        randomNumbers();
        psci();
        controllers();
        controllerFrames();
        groups();
    }

    private void identity() {
        script.section("identity");
        script.ok(0x00).answers(0x4800_0000_0000_8001L).gives(identityFlags(), 0, 0);
        for (int number : new int[] {0x08, 0x16, 0x1E, 0x33, 0x35, 0x4F0 & 0x1FF, 0x1FF}) {
            script.hole(number);
        }
        script.unknownImmediates();
        script.fails(DENIED, 0x3F, 1, 2);
    }

    /** partition, doorbell, msgqueue, vic, vpm, vcpu, memextent, virtio_mmio, prng, vcpu_run; scheduler fprr. */
    private static long identityFlags() {
        return 0x1000_0E7FL;
    }

    private void services() {
        script.section("SMCCC");
        long[] uid = {0xcd8f_d5c1L, 0xdb5f_53a4L, 0x36ce_6592L, 0x145f_3d67L};
        script.smccc(0x8600_FF01L, NONE, uid);
        script.smccc(0x8500_FF01L, NONE, uid);
        script.smccc(0x8600_FF03L, NONE, 0x4800_0000_0000_8001L);
        script.smccc(0x8500_FF03L, NONE, 1, 0);
        script.smccc(0x8000_0000L, NONE, 0x1_0003);
        script.smccc(0xFFFF_FFFF_8000_0000L, NONE, 0x1_0003);
        script.smccc(0x8001_0000L, NONE, 0x1_0003);
        for (long known : new long[] {0x8000_0000L, 0x8000_0001L, 0x8500_FF01L, 0x8500_FF03L}) {
            script.smccc(0x8000_0001L, new long[] {known}, 0);
        }
        for (long other : new long[] {0x8000_0002L, 0x8000_8000L, 0x8000_7FFFL, 0, -1}) {
            script.smccc(0x8000_0001L, new long[] {other}, NOT_SUPPORTED_32);
        }
        // counts, other owners, bits that must be zero, yielding calls, hypercalls of the wrong width
        for (long function : new long[] {0, -1, 0x8600_FF00L, 0x8602_FF01L, 0x8600_0000L, 0x8600_4000L, 0x8100_0000L,
                0x8200_0000L, 0x8300_0000L, 0x8700_0000L, 0x8600_8000L, 0x4600_8000L, 0x0600_8000L, 0xC600_FF01L,
                0xC602_8000L, 0xC600_BFFFL, 0xC600_8200L, 0xC500_0020L, 0xC500_0021L, 0x3200_0000L}) {
            script.smccc(function, NONE, UNKNOWN);
        }
    }

    private void randomNumbers() {
        script.section("random numbers");
        script.smccc(0x8400_0050L, NONE, 0x1_0000, 0, 0, 0);
        for (long known : new long[] {0x8400_0050L, 0x8400_0051L, 0x8400_0053L, 0xC400_0053L}) {
            script.smccc(0x8400_0051L, new long[] {known}, 0);
        }
        script.smccc(0x8400_0051L, new long[] {0x8400_0054L}, NOT_SUPPORTED_32);
        script.smccc(0x8400_0051L, new long[] {0xC400_0050L}, NOT_SUPPORTED_32);
        script.smccc(0xC400_0053L, new long[] {192, 1, 1}, 0).where(1, 0).where(2, 0).where(3, 0);
        script.smccc(0xC400_0053L, new long[] {65, 1, 1}, 0, 0, 0, 0).where(2, ~1L).where(3, 0);
        script.smccc(0x8400_0053L, new long[] {33, 1, 1}, 0, 0, 0, 0).where(2, ~1L).where(3, ~0xFFFF_FFFFL);
        script.smccc(0x8400_0053L, new long[] {96}, 0, 0, 0, 0).where(1, ~0xFFFF_FFFFL).where(2, ~0xFFFF_FFFFL)
                .where(3, ~0xFFFF_FFFFL);
        script.smccc(0xC400_0053L, new long[] {193}, -2, 0, 0, 0);
        script.smccc(0xC400_0053L, new long[] {0}, -2, 0, 0, 0);
        script.smccc(0x8400_0053L, new long[] {97}, 0xFFFF_FFFEL, 0, 0, 0);
        script.fails(ARGUMENT_SIZE, 0x57, 0);
        script.fails(ARGUMENT_SIZE, 0x57, 20);
        script.fails(ARGUMENT_SIZE, 0x57, -4);
        script.fails(ARGUMENT_ALIGNMENT, 0x57, 7);
        // four reads in 33 ms
        script.fails(BUSY, 0x57, 16).eventually();
        script.ok(0x57, 8).eventually().gives(0, 0, 0, 0).where(1, ~0xFFFF_FFFFL).where(2, ~0xFFFF_FFFFL);
        script.ok(0x57, 16).eventually().gives(0, 0, 0, 0).where(1, ~0xFFFF_FFFFL).where(2, ~0xFFFF_FFFFL)
                .where(3, ~0xFFFF_FFFFL).where(4, ~0xFFFF_FFFFL);
    }

    private void psci() {
        script.section("PSCI");
        script.smccc(0x8400_0000L, NONE, 0x1_0001);
        for (long known : new long[] {0x8400_0000L, 0x8400_0002L, 0x8400_0003L, 0xC400_0003L, 0x8400_0004L,
                0xC400_0004L, 0x8400_0008L, 0x8400_0009L, 0x8400_000AL, 0x8400_000CL, 0xC400_000CL, 0x8400_000FL,
                0x8400_0012L,
                0xC400_0012L, 0x8000_0000L}) {
            script.smccc(0x8400_000AL, new long[] {known}, 0);
        }
        script.smccc(0x8400_000AL, new long[] {0x8400_0001L}, 2);
        script.smccc(0x8400_000AL, new long[] {0xC400_0001L}, 2);
        for (long other : new long[] {0x8400_0005L, 0x8400_0006L, 0x8400_000EL, 0xC400_000EL, 0x8400_0013L,
                0xC400_0000L}) {
            script.smccc(0x8400_000AL, new long[] {other}, NOT_SUPPORTED_32);
            script.smccc(other, NONE, UNKNOWN);
        }
        script.smccc(0xC400_0004L, new long[] {vcpuIndex, 0}, 0);
        script.smccc(0x8400_0004L, new long[] {vcpuIndex, 0}, 0);
        script.smccc(0xC400_0004L, new long[] {vcpuIndex, 1}, -2);
        script.smccc(0xC400_0004L, new long[] {5, 0}, -2);
        script.smccc(0x8400_0004L, new long[] {5, 0}, 0xFFFF_FFFEL);
        script.smccc(0xC400_0003L, new long[] {vcpuIndex, 0, 0}, -4);
        script.smccc(0x8400_0003L, new long[] {vcpuIndex, 0, 0}, 0xFFFF_FFFCL);
        for (long mpidr : new long[] {5, 0x100, 1L << 32, 1L << 31, -1}) {
            script.smccc(0xC400_0003L, new long[] {mpidr, 0, 0}, -2);
        }
        script.smccc(0x8400_000FL, new long[] {0}, 0);
        script.smccc(0x8400_000FL, new long[] {1}, 0xFFFF_FFFEL);
    }

    private void controllers() {
        script.section("interrupt controllers");
        long vic = objects.create(ObjectType.VIC);
        for (long[] wrong : new long[][] {{0, 64, 0, 0}, {65, 64, 0, 0}, {-1, 64, 0, 0}, {1, -1, 0, 0}, {1, 64, 4, 0},
                {1, 64, 1, 1}}) {
            script.fails(ARGUMENT_INVALID, 0x28, vic, wrong[0], wrong[1], wrong[2], wrong[3]);
        }
        script.ok(0x28, vic, 1, 988, 1, 0);
        script.ok(0x28, vic, 0x1_0000_0002L, 32, 2, 7);
        for (int shift = 0; shift < 4; shift++) {
            long[] shifts = {0, 0, 0, 0};
            shifts[shift] = 32;
            script.fails(ARGUMENT_INVALID, 0x67, vic, 0xFF, shifts[0], shifts[1], shifts[2], shifts[3], 0);
        }
        script.fails(ARGUMENT_INVALID, 0x67, vic, 1L << 32, 0, 0, 0, 0, 0);
        script.fails(ARGUMENT_INVALID, 0x67, vic, 0xFF, 0, 0, 0, 0, 2);
        script.ok(0x67, vic, 0xFF, 0, 8, 16, 24, 0);
        script.ok(0x0C, vic);
        long first = objects.create(ObjectType.THREAD);
        long second = objects.create(ObjectType.THREAD);
        script.fails(ARGUMENT_INVALID, 0x29, vic, first, 2);
        script.fails(ARGUMENT_INVALID, 0x29, vic, first, -1);
        script.fails(ARGUMENT_INVALID, 0x29, vic, first, 1L << 32);
        script.ok(0x29, vic, first, 1);
        script.fails(BUSY, 0x29, vic, first, 0);
        script.fails(BUSY, 0x29, vic, second, 1);
        script.ok(0x29, vic, second, 0);
        objects.delete(first);
        long third = objects.create(ObjectType.THREAD);
        script.ok(0x29, vic, third, 1);
        script.fails(CSPACE_WRONG_OBJECT_TYPE, 0x56, vic, objects.active(ObjectType.DOORBELL));
        objects.delete(second);
        objects.delete(third);
        objects.delete(vic);
    }

    private void controllerFrames() {
        script.section("frames of a controller");
        long vic = objects.newVic(2);
        long space = objects.newAddrspace(3);
        script.fails(ARGUMENT_INVALID, 0x62, space, vic, 3, 0, 0x1_0000, 0);
        script.fails(ARGUMENT_INVALID, 0x62, space, vic, -1, 0, 0x1_0000, 0);
        script.fails(ARGUMENT_SIZE, 0x62, space, vic, 0, 0, 0, 0);
        script.fails(ARGUMENT_SIZE, 0x62, space, vic, 0, 0, 0x2_0000, 0);
        script.fails(ARGUMENT_ALIGNMENT, 0x62, space, vic, 0, 8, 0x1_0000, 0);
        script.fails(ARGUMENT_ALIGNMENT, 0x62, space, vic, 0, 0, 8, 0);
        script.fails(ADDR_INVALID, 0x62, space, vic, 0, 1L << 48, 0x1_0000, 0);
        script.fails(ADDR_INVALID, 0x62, space, vic, 0, -0x1_0000, 0x1_0000, 0);
        script.fails(IDLE, 0x62, space, vic, 1, 0x10_0000, 0x2_0000, 0);
        script.ok(0x62, space, vic, 0, 0, 0x1_0000, 0);
        script.fails(BUSY, 0x62, space, vic, 0, 0, 0x1_0000, 0);
        long thread = objects.create(ObjectType.THREAD);
        script.ok(0x29, vic, thread, 0);
        script.fails(BUSY, 0x62, space, vic, 1, 0, 0x2_0000, 0);
        script.ok(0x62, space, vic, 1, 0x10_0000, 0x2_0000, 0);
        script.fails(BUSY, 0x62, arena.addrspace(), vic, 1, arena.devices() + 0x20_0000, 0x2_0000, 0);
        // seen by a guest: affinity 0 in a redistributor
        long seen = objects.newVic(1);
        long other = objects.create(ObjectType.THREAD);
        script.ok(0x29, seen, other, 0);
        script.ok(0x62, arena.addrspace(), seen, 1, arena.devices() + 0x20_0000, 0x2_0000, 0);
        script.load(arena.devices() + 0x20_0000 + 0x0C, 4, 0);
        objects.delete(other);
        objects.delete(seen);
        objects.delete(thread);
        objects.delete(space);
        objects.delete(vic);
    }

    private void groups() {
        script.section("VPM groups");
        long group = objects.create(ObjectType.VPM_GROUP);
        script.fails(UNIMPLEMENTED, 0x66, group, 4);
        script.fails(UNIMPLEMENTED, 0x66, group, 1L << 40);
        script.ok(0x66, group, 1);
        script.ok(0x66, group, 0);
        script.ok(0x0C, group);
        long first = objects.create(ObjectType.THREAD);
        long second = objects.create(ObjectType.THREAD);
        script.fails(ARGUMENT_INVALID, 0x3C, group, first, 64);
        script.fails(ARGUMENT_INVALID, 0x3C, group, first, -1);
        script.ok(0x3C, group, first, 5);
        script.fails(BUSY, 0x3C, group, first, 6);
        script.fails(BUSY, 0x3C, group, second, 5);
        script.ok(0x3C, group, second, 63);
        script.ok(0x45, group).gives(2);
        script.reserved(0x45, group);
        objects.delete(first);
        objects.delete(second);
        objects.delete(group);
    }
}
