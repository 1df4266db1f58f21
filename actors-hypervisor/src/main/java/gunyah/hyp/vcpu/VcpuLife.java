package gunyah.hyp.vcpu;

import gunyah.hyp.HypError;
import gunyah.hyp.StateText;
import gunyah.hyp.trace.TraceSink;
import java.util.function.Supplier;

/**
 * Whether one vCPU is alive: power-on, the reset that goes with it, execution, kill, exit, failure. Its monitor decides
 * between a power-on, a kill and the begin of an execution that come at once.
 */
final class VcpuLife {
    private final Vcpu vcpu;
    private final Blocks blocks;
    private final BootRegisters bootRegisters = new BootRegisters();
    private volatile boolean killed;
    /** Powered on once and not exited: counted in the address space. */
    private boolean mayRun;
    private volatile boolean resetPending;
    private boolean executing;
    private volatile String failure = "";

    VcpuLife(Vcpu vcpu, Blocks blocks) {
        this.vcpu = vcpu;
        this.blocks = blocks;
    }

    synchronized void describe(StateText text) {
        text.put("killed", killed).put("may_run", mayRun).put("reset.pending", resetPending).put("failure", failure);
        bootRegisters.describe(text);
    }

    boolean killed() {
        return killed;
    }

    String failure() {
        return failure;
    }

    synchronized boolean executing() {
        return executing;
    }

    /** Does something that must not happen while it executes. {@return BUSY when it does, or what the change says} */
    synchronized HypError unlessExecuting(Supplier<HypError> change) {
        return executing ? HypError.BUSY : change.get();
    }

    /** As {@link Vcpu#powerOn}. */
    HypError powerOn(long entry, boolean keepEntry, long x0, boolean keepX0) {
        synchronized (this) {
            // One that failed before it was ever on would never run: who powers it on must know.
            if (killed || blocks.has(Block.OFF) && blocks.has(Block.FAULT)) {
                return HypError.FAILURE;
            }
            if (!blocks.has(Block.OFF)) {
                return HypError.BUSY;
            }
            bootRegisters.entry(entry, keepEntry, x0, keepX0);
            vcpu.run().poweredOn();
            resetPending = true;
            if (!mayRun) {
                mayRun = true;
                vcpu.addrspace().vcpuMayRun();
            }
        }
        vcpu.trace(TraceSink.Power.ON);
        blocks.unblock(Block.OFF.bit());
        return HypError.OK;
    }

    /** vcpu_register_write. */
    synchronized HypError writeRegister(long set, long index, long value) {
        if (killed) {
            return HypError.OBJECT_STATE;
        }
        return blocks.has(Block.OFF) ? bootRegisters.write(set, index, value) : HypError.BUSY;
    }

    /** Warm reset when it runs next. On its own thread. */
    void resetOnWake(long entry, long x0) {
        bootRegisters.entry(entry, false, x0, false);
        resetPending = true;
    }

    /**
     * On its thread, before guest code: applies a reset that power-on or a wake-up asked for.
     *
     * @return whether there was one
     */
    boolean applyReset(VcpuEngine engine) {
        if (!resetPending) {
            return false;
        }
        resetPending = false;
        bootRegisters.apply(engine);
        return true;
    }

    /** The vCPU's thread begins to execute. {@return false when it ended meanwhile, or nobody owns it any more} */
    synchronized boolean beginExecution() {
        if (blocks.has(Block.EXITED) || !vcpu.retain()) {
            return false;
        }
        executing = true;
        return true;
    }

    /** The vCPU's thread stopped executing; afterwards it may be gone. */
    void endExecution() {
        boolean exits;
        synchronized (this) {
            executing = false;
            exits = killed;
        }
        if (exits) {
            exit();
        }
        vcpu.release();
    }

    /** {@return false when it was killed before} If it is executing it unwinds on its own thread. */
    boolean kill() {
        boolean exits;
        synchronized (this) {
            if (killed) {
                return false;
            }
            killed = true;
            exits = !executing;
        }
        vcpu.trace(TraceSink.Power.KILLED);
        vcpu.thread().stopSoon();
        if (exits) {
            exit();
        }
        return true;
    }

    private void exit() {
        synchronized (this) {
            // Before anybody can see the exit: who sees it may take the private pages back.
            if (mayRun) {
                mayRun = false;
                vcpu.addrspace().vcpuExited();
            }
        }
        blocks.block(Block.EXITED);
        vcpu.thread().leaveQueue();
        vcpu.stopTimers();
    }

    /** Stops it because the hypervisor failed on it. The root and the primary VM take the machine with them. */
    void fault(String reason) {
        if (failure.isEmpty()) {
            failure = reason;
        }
        vcpu.trace(TraceSink.Power.FAILED);
        blocks.block(Block.FAULT);
        vcpu.haltLine().fire();
        if (vcpu.options().hlos()) {
            vcpu.machine().failed("%s: %s".formatted(vcpu, reason));
        }
    }

    /** As {@link #fault}, by another thread. {@return false when it has ended or faulted before} */
    boolean fail(String reason) {
        if (killed || blocks.has(Block.FAULT)) {
            return false;
        }
        fault(reason);
        vcpu.thread().comeOut();
        return true;
    }
}
