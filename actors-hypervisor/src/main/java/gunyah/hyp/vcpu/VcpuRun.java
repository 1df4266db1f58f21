package gunyah.hyp.vcpu;

import gunyah.hyp.HypError;
import gunyah.hyp.StateText;

/**
 * The proxy scheduling of one vCPU (Gunyah hyp/vm/vcpu_run): what its last run ended with, and how the proxy's answer
 * resumes it. Whoever claimed the vCPU by lifting VCPU_RUN owns this object; the vCPU's thread writes an exit while it
 * is claimed and executing.
 */
final class VcpuRun {
    static final int READY = 0;
    static final int EXPECTS_WAKEUP = 1;
    static final int POWERED_OFF = 2;
    static final int BLOCKED = 3;
    static final int VMMIO_READ = 4;
    static final int VMMIO_WRITE = 5;
    static final int FAULT = 6;
    static final int PAGE_FAULT = 7;
    static final int PSCI_SYSTEM_RESET = 0x100;

    /** Reasons whose end the proxy waits for. */
    static final int WAKEUP_BLOCKS = Block.OFF.bit() | Block.SUSPEND.bit() | Block.WFI.bit();

    private static final int ACTION_EMULATE = 0;
    private static final int ACTION_RETRY = 1;
    private static final int ACTION_FAULT = 2;
    private static final int FROM_WFI = 1;
    private static final int FROM_CPU_SUSPEND = 2;
    private static final int EXITED = 1;

    private final Vcpu vcpu;
    private int lastState = READY;
    private boolean write;
    private long exitIpa;
    private long exitDetail;
    private long exitValue;
    private boolean exitMapped;
    private long powerState;
    private volatile boolean resetRecorded;
    private long resetType;
    private long resetCookie;

    VcpuRun(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    // By the vCPU's thread.

    void vmmio(boolean isWrite, long ipa, int sizeBytes, long value) {
        write = isWrite;
        exitIpa = ipa;
        exitDetail = sizeBytes;
        exitValue = value;
    }

    /** @param access 0 read, 1 write, 2 execute */
    void pageFault(long ipa, int access, boolean mapped) {
        exitIpa = ipa;
        exitDetail = access;
        exitMapped = mapped;
    }

    void suspending(long newPowerState) {
        powerState = newPowerState;
    }

    void recordReset(long type, long cookie) {
        resetType = type;
        resetCookie = cookie;
        resetRecorded = true;
    }

    void poweredOn() {
        resetRecorded = false;
    }

    void describe(StateText text) {
        text.put("run.last", lastState);
        if (lastState == VMMIO_READ || lastState == VMMIO_WRITE || lastState == PAGE_FAULT) {
            text.put("run.ipa", exitIpa).put("run.detail", exitDetail);
        }
        if (resetRecorded) {
            text.put("run.reset", resetType).put("run.cookie", resetCookie);
        }
    }

    // By the proxy.

    /**
     * vcpu_run: resumes from the last state, lets the vCPU run on the caller's CPU and says how that ended.
     *
     * @param x inputs in {@code x[1..3]} (r0..r2), results in {@code x[1..4]}
     */
    HypError run(VcpuThread caller, long[] x) {
        if (!vcpu.blocks().claimForRun()) {
            return HypError.BUSY;
        }
        HypError error = resume(x[1], x[2], x[3]);
        if (error != HypError.OK) {
            giveBack();
            return error;
        }
        if (vcpu.blocks().runnable()) {
            caller.lendTo(vcpu.thread());
        }
        // One atomic step takes the reasons and sets VCPU_RUN: a wake-up is either in the result or raises the VIRQ.
        report(vcpu.blocks().returnFromRun(), x);
        lastState = (int) x[1];
        return HypError.OK;
    }

    /** The resume failed: a wake-up that came since the claim found nobody to tell. */
    private void giveBack() {
        int reasons = vcpu.blocks().returnFromRun();
        if ((lastState == EXPECTS_WAKEUP || lastState == POWERED_OFF) && (reasons & WAKEUP_BLOCKS) == 0) {
            vcpu.wakeupLine().fire();
        }
    }

    private HypError resume(long r0, long r1, long r2) {
        return switch (lastState) {
            case VMMIO_READ, VMMIO_WRITE -> resumeVmmio(r0, r1, r2);
            case PAGE_FAULT -> resumePageFault(r0, r1, r2);
            default -> HypError.OK;
        };
    }

    private HypError resumeVmmio(long value, long action, long r2) {
        if (r2 != 0 || action < ACTION_EMULATE || action > ACTION_FAULT) {
            return HypError.UNIMPLEMENTED;
        }
        if (!vcpu.life().killed()) {
            if (action == ACTION_FAULT) {
                vcpu.engine().injectExternalAbort();
            } else if (action == ACTION_EMULATE && lastState == VMMIO_READ) {
                vcpu.engine().completeMmioRead(value);
            } else if (action == ACTION_EMULATE) {
                vcpu.engine().completeMmioWrite();
            }
        }
        lastState = READY;
        vcpu.blocks().unblock(Block.VMMIO.bit());
        return HypError.OK;
    }

    private HypError resumePageFault(long action, long r1, long r2) {
        if (r1 != 0 || r2 != 0 || action < ACTION_EMULATE || action > ACTION_FAULT) {
            return HypError.UNIMPLEMENTED;
        }
        if (action == ACTION_FAULT && !vcpu.life().killed()) {
            vcpu.engine().injectExternalAbort();
        }
        lastState = READY;
        vcpu.blocks().unblock(Block.PAGE_FAULT.bit());
        return HypError.OK;
    }

    /** vcpu_run_check: as the state that vcpu_run would report now. {@return BUSY when runnable or merely blocked} */
    HypError check(long[] x) {
        int reasons = vcpu.blocks().bits() & ~Block.VCPU_RUN.bit();
        if (reasons == 0) {
            return HypError.BUSY;
        }
        report(reasons, x);
        if (x[1] == READY || x[1] == BLOCKED) {
            x[1] = 0;
            return HypError.BUSY;
        }
        return HypError.OK;
    }

    private void report(int reasons, long[] x) {
        if (Block.EXITED.in(reasons)) {
            set(x, POWERED_OFF, EXITED, 0, 0);
        } else if (vcpu.life().killed()) {
            set(x, BLOCKED, 0, 0, 0);
        } else if (resetRecorded) {
            set(x, PSCI_SYSTEM_RESET, resetType, resetCookie, 0);
        } else if (reasons == 0) {
            set(x, READY, 0, 0, 0);
        } else if (Block.FAULT.in(reasons)) {
            set(x, FAULT, 0, 0, 0);
        } else if (Block.SUSPEND.in(reasons)) {
            set(x, EXPECTS_WAKEUP, powerState, FROM_CPU_SUSPEND, 0);
        } else if (Block.VMMIO.in(reasons)) {
            set(x, write ? VMMIO_WRITE : VMMIO_READ, exitIpa, exitDetail, write ? exitValue : 0);
        } else if (Block.PAGE_FAULT.in(reasons)) {
            set(x, PAGE_FAULT, exitIpa, exitDetail, exitMapped ? 1 : 0);
        } else if (Block.WFI.in(reasons)) {
            set(x, EXPECTS_WAKEUP, 0, FROM_WFI, 0);
        } else if (Block.OFF.in(reasons)) {
            set(x, POWERED_OFF, 0, 0, 0);
        } else {
            set(x, BLOCKED, 0, 0, 0);
        }
    }

    private static void set(long[] x, int state, long d0, long d1, long d2) {
        x[1] = state;
        x[2] = d0;
        x[3] = d1;
        x[4] = d2;
    }
}
