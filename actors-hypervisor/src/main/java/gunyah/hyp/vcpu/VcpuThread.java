package gunyah.hyp.vcpu;

import akka.actor.typed.ActorRef;
import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.pcpu.HostCores;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.pcpu.Schedulable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * The scheduling side of a vCPU: how the physical CPU's grant reaches the vCPU's thread, wherever that is.
 *
 * <p>The thread is executing, or it waits for its turn inside a call (a directed yield, scheduler_yield), or it is in
 * its actor's mailbox. {@code turn} says which; a grant is one atomic exchange of it, so it finds the thread in exactly
 * one of these places and is never lost.
 */
final class VcpuThread extends Schedulable {
    private static final int IN_MAILBOX = 0;
    private static final int WAITING = 1;
    private static final int SPINNING = 2;
    private static final int PARKED = 3;
    private static final int GRANTED = 4;
    /**
     * About a hundred microseconds: waking a parked thread takes as long where the host is a virtual machine itself, and
     * a booting kernel exits more often than that. A tenth of it missed 85 % of the hand-overs, this misses 20 %.
     */
    private static final int SPINS = 4000;
    private static final VarHandle TURN;

    static {
        try {
            TURN = MethodHandles.lookup().findVarHandle(VcpuThread.class, "turn", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Vcpu vcpu;
    private final Machine machine;
    private final VcpuControl control;
    private volatile ActorRef<VcpuActor.Command> actor;
    private volatile Thread thread;
    /** Null before its first grant. */
    private volatile VcpuExecution execution;
    /** The proxy that executes its grants, while it lends its CPU; else null. */
    private volatile VcpuThread host;
    /** Its proxy's thread executes it now. By the thread that executes. */
    private boolean hosted;
    /** It makes calls that wait for a turn of its own. */
    private volatile boolean needsOwnThread;
    private volatile boolean closed;
    private boolean starting;
    private volatile boolean yielding;
    private int turn = IN_MAILBOX;
    /** Written before the grant, read by the thread after it. */
    private Pcpu cpu;

    VcpuThread(Vcpu vcpu, Machine machine, VcpuControl control) {
        super(machine.timesliceNs());
        this.vcpu = vcpu;
        this.machine = machine;
        this.control = control;
    }

    /** The actor exists: a grant given before that is delivered now. */
    synchronized void start(ActorRef<VcpuActor.Command> newActor) {
        actor = newActor;
        if (closed) {
            newActor.tell(VcpuActor.Stop.INSTANCE);
        } else if (granted()) {
            newActor.tell(VcpuActor.Run.INSTANCE);
        }
    }

    void bindThread(VcpuExecution newExecution) {
        execution = newExecution;
        thread = Thread.currentThread();
        thread.setName(vcpu.name());
        if (machine.trace() != null) {
            machine.trace().bind(this);
        }
    }

    boolean isCurrentThread() {
        return Thread.currentThread() == thread;
    }

    void configure(int priority, long timesliceNs) {
        schedule(priority, timesliceNs);
    }

    void placeOn(int cpuIndex) {
        setAffinity(cpuIndex);
    }

    ActorRef<VcpuActor.Command> actor() {
        return actor;
    }

    /** Brings it out of guest code, to look at its block reasons. Any thread. */
    void comeOut() {
        control.raise(VcpuControl.PREEMPT);
    }

    /** The vCPU was killed: guest code ends soon. */
    void stopSoon() {
        control.raise(VcpuControl.STOP);
    }

    /** Ends every wait for a turn; the thread gets no more. */
    void close() {
        ActorRef<VcpuActor.Command> target;
        synchronized (this) {
            closed = true;
            target = actor;
        }
        control.raise(VcpuControl.STOP);
        LockSupport.unpark(thread);
        if (target != null) {
            target.tell(VcpuActor.Stop.INSTANCE);
        }
    }

    /** Its actor ends: a CPU that is or will be granted to it is given back. */
    void abandon() {
        synchronized (this) {
            closed = true;
        }
        VcpuExecution ending = execution;
        if (ending != null) {
            ending.end();
        }
        dropGrant();
    }

    private void dropGrant() {
        if (TURN.compareAndSet(this, GRANTED, IN_MAILBOX)) {
            cpu.release(this, Reason.BLOCKED);
        }
    }

    boolean closed() {
        return closed;
    }

    @Override
    public int vmid() {
        return vcpu.vmid();
    }

    @Override
    public int vcpuIndex() {
        return vcpu.index();
    }

    // Called by the physical CPU's actor.

    @Override
    protected boolean runnable() {
        return vcpu.blocks().runnable();
    }

    /** A timer that came due is a wake-up: the thread that owns the timer's registers has to look at it. */
    @Override
    protected boolean takeWakeup() {
        return vcpu.life().killed() || vcpu.engine().takeYieldWakeup() || (control.peek() & VcpuControl.TIMER) != 0;
    }

    @Override
    protected void grant(Pcpu grantedCpu) {
        // A request to release the CPU belongs to the grant before. Nobody polls the word now.
        control.raise(control.take() & ~VcpuControl.PREEMPT);
        cpu = grantedCpu;
        int before = (int) TURN.getAndSet(this, GRANTED);
        switch (before) {
            // Here, not when the thread notices: the one that grants wants to spin next.
            case SPINNING -> machine.cores().endSpin();
            case PARKED -> LockSupport.unpark(thread);
            case IN_MAILBOX -> deliver();
            default -> { }
        }
    }

    private void deliver() {
        // after the turn was written; pairs with lendTo, which takes itself away as the host and then looks at the turn
        VcpuThread lender = host;
        if (lender == null) {
            tellRun();
        } else if (!lender.isCurrentThread()) {
            LockSupport.unpark(lender.thread);
        }
    }

    /** A vCPU gets its actor, and with it a thread, when it runs for the first time. */
    private synchronized void tellRun() {
        if (closed) {
            // Its actor may have ended: nobody else would give the CPU back.
            TURN.setVolatile(this, IN_MAILBOX);
            cpu.release(this, Reason.BLOCKED);
        } else if (actor != null) {
            // start() may have told it already: a second Run without a grant does nothing.
            actor.tell(VcpuActor.Run.INSTANCE);
        } else if (!starting) {
            starting = true;
            machine.starter().start(vcpu);
        }
    }

    @Override
    protected boolean holds(Pcpu grantedCpu) {
        return granted() && cpu == grantedCpu;
    }

    @Override
    protected void preempt() {
        control.raise(VcpuControl.PREEMPT);
    }

    @Override
    protected void announceHome() {
        machine.pcpu(affinity()).ready(this);
    }

    @Override
    protected void moved(int cpuIndex) {
        setAffinity(cpuIndex);
        vcpu.move().done();
    }

    // Called by the vCPU's thread.

    /** {@return whether the thread has the CPU} */
    boolean granted() {
        return (int) TURN.getAcquire(this) == GRANTED;
    }

    /** {@return the CPU that granted the turn} */
    Pcpu cpu() {
        return cpu;
    }

    /**
     * Gives the CPU back at the end of a run.
     *
     * @param linger spin a little, because the next grant is expected at once
     * @return true when it came already; false when the thread may go back to its mailbox
     */
    boolean release(Reason reason, boolean linger) {
        TURN.setVolatile(this, WAITING);
        cpu.release(this, reason);
        if (linger) {
            spin();
        }
        return !TURN.compareAndSet(this, WAITING, IN_MAILBOX);
    }

    /** Gives the rest of the slice away and waits for the next. {@return false when the thread has to end} */
    boolean yield() {
        TURN.setVolatile(this, WAITING);
        cpu.release(this, Reason.YIELDED);
        return await(true);
    }

    /** Lets another thread run in this one's place; returns when the CPU is back. {@return as {@link #yield}} */
    boolean yieldTo(VcpuThread target) {
        // A thread that has to be woken is back no sooner than this one could be: an idle guest's tick, a next slice.
        boolean soon = target.lingers();
        TURN.setVolatile(this, WAITING);
        // Before the request; pairs with cancelYield, which sets the wake-up first and then looks here.
        yielding = true;
        cpu.yieldTo(this, target);
        boolean back = await(soon);
        yielding = false;
        return back;
    }

    /** As {@link #yieldTo}; what the target is granted meanwhile is executed here, if it is code that any thread may. */
    boolean lendTo(VcpuThread target) {
        if (target.execution == null || target.needsOwnThread || !target.vcpu.engine().runsOnAnyThread()) {
            return yieldTo(target);
        }
        TURN.setVolatile(this, WAITING);
        yielding = true;
        target.host = this;
        cpu.yieldTo(this, target);
        boolean back = hostUntilBack(target);
        target.host = null;
        if (target.granted()) {
            target.tellRun();
        }
        yielding = false;
        return back;
    }

    private boolean hostUntilBack(VcpuThread target) {
        VcpuExecution theirs = target.execution;
        while (!granted() && !closed) {
            if (target.granted() && !theirs.isExecuting()) {
                if (theirs.hasEnded()) {
                    target.dropGrant();
                } else {
                    theirs.host();
                }
            } else if (TURN.compareAndSet(this, WAITING, PARKED)) {
                if (!closed && (!target.granted() || theirs.isExecuting())) {
                    LockSupport.park(this);
                }
                TURN.compareAndSet(this, PARKED, WAITING);
            }
        }
        return granted();
    }

    void beginHosted() {
        hosted = true;
        if (machine.trace() != null) {
            machine.trace().bind(this);
        }
    }

    void endHosted() {
        hosted = false;
        if (machine.trace() != null) {
            machine.trace().bind(host);
        }
    }

    boolean isHosted() {
        return hosted;
    }

    /**
     * For a call that waits for a turn: the proxy whose thread this is would wait for itself. From now on the vCPU's own
     * thread executes it.
     *
     * @throws OwnThreadNeeded when the proxy's thread executes it now
     */
    void requireOwnThread() {
        needsOwnThread = true;
        if (hosted) {
            throw OwnThreadNeeded.NEEDED;
        }
    }

    /** The vCPU has ended: if it waits for its turn it does so no more. Any thread. */
    void leaveQueue() {
        Pcpu home = machine.pcpu(affinity());
        if (home != null) {
            home.gone(this);
        }
    }

    /** {@return whether a grant finds the thread awake: it left its last run a moment ago} Any thread; a hint. */
    private boolean lingers() {
        int now = (int) TURN.getAcquire(this);
        return now == SPINNING || now == WAITING;
    }

    /** {@return whether it lends its CPU, and so cannot be moved} Any thread. */
    boolean lends() {
        return yielding;
    }

    /** A wake-up is pending: if the thread lent its CPU it gets it back. Any thread. */
    void cancelYield() {
        Pcpu on = runningOn();
        if (yielding && on != null) {
            on.cancelYield(this);
        }
    }

    private boolean await(boolean soon) {
        if (soon) {
            spin();
        }
        if (TURN.compareAndSet(this, WAITING, PARKED)) {
            while (!granted() && !closed) {
                LockSupport.park(this);
            }
        }
        return granted();
    }

    /** Waits a little with the core in hand, if nobody needs that. */
    private void spin() {
        HostCores cores = machine.cores();
        if (!cores.beginSpin()) {
            return;
        }
        if (!TURN.compareAndSet(this, WAITING, SPINNING)) {
            cores.endSpin();
            return;
        }
        for (int i = 0; i < SPINS && !granted(); i++) {
            Thread.onSpinWait();
        }
        if (TURN.compareAndSet(this, SPINNING, WAITING)) {
            cores.endSpin();
        }
    }

    @Override
    public String toString() {
        return vcpu.name();
    }
}
