package gunyah.hyp.vcpu;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The reasons why one vCPU does not run, as a bitmap that any thread changes. Whoever lifts the last one announces the
 * vCPU to its physical CPU, or its proxy by the wake-up VIRQ: of two that lift at once, exactly one sees the last go.
 */
final class Blocks {
    /** What a wake-up ends. */
    private static final int WAKE = Block.WFI.bit() | Block.SUSPEND.bit();

    private final AtomicInteger reasons = new AtomicInteger(Block.OFF.bit());
    private final Vcpu vcpu;

    Blocks(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    int bits() {
        return reasons.get();
    }

    boolean has(Block reason) {
        return reason.in(reasons.get());
    }

    List<String> names() {
        return Block.names(reasons.get());
    }

    /** {@return whether nothing blocks it, or it was killed and has to unwind} */
    boolean runnable() {
        int now = reasons.get();
        return (vcpu.life().killed() ? now & Block.UNKILLABLE : now) == 0;
    }

    void block(Block reason) {
        reasons.getAndUpdate(old -> old | reason.bit());
    }

    /** Takes a reason back that the vCPU's own thread set: it runs, so nobody has to be told. */
    void resume(Block reason) {
        reasons.getAndUpdate(old -> old & ~reason.bit());
    }

    /** Lifts reasons and announces the vCPU if it became runnable. */
    void unblock(int lifts) {
        int old = reasons.getAndUpdate(now -> now & ~lifts);
        int lifted = old & lifts;
        if (lifted == 0) {
            return;
        }
        int left = old & ~lifts;
        if (Block.VCPU_RUN.in(left)) {
            if ((lifted & VcpuRun.WAKEUP_BLOCKS) != 0) {
                vcpu.wakeupLine().fire();
            }
        } else if (runnable()) {
            vcpu.announce();
        }
    }

    /** An interrupt or a timer: ends WFI and suspend. */
    void wake() {
        if ((reasons.get() & WAKE) != 0) {
            unblock(WAKE);
        }
    }

    /** Takes the vCPU for one vcpu_run. {@return false when it is not proxy scheduled or somebody runs it} */
    boolean claimForRun() {
        return Block.VCPU_RUN.in(reasons.getAndUpdate(old -> old & ~Block.VCPU_RUN.bit()));
    }

    /** {@return the reasons at the moment of the return, without VCPU_RUN} */
    int returnFromRun() {
        return reasons.getAndUpdate(old -> old | Block.VCPU_RUN.bit());
    }
}
