package gunyah.hyp.vcpu;

import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.StateText;
import gunyah.hyp.ThreadObject;
import gunyah.hyp.TraceSink;
import gunyah.hyp.VcpuDescription;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.Schedulable;
import gunyah.hyp.vic.Vic;
import gunyah.hyp.vic.VicTarget;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A virtual CPU as a kernel object (Gunyah hyp/vm/vcpu, hyp/core/thread_standard): configuration, attachments, power,
 * and the bitmap of reasons why it does not run. Any thread may block and unblock it; whoever lifts the last reason
 * announces it to its physical CPU, or to the proxy scheduler by the wake-up VIRQ.
 */
public final class Vcpu extends ThreadObject implements VicTarget {
    private static final long MPIDR_NO_VIC = 1L << 31 | 1L << 30;
    private static final int WAKE_BLOCKS = Block.WFI.bit() | Block.SUSPEND.bit();

    private final Machine machine;
    private final VcpuControl control = new VcpuControl();
    private final VcpuThread thread;
    private final VcpuRun run = new VcpuRun(this);
    private final AtomicInteger blocks = new AtomicInteger(Block.OFF.bit());
    /** The physical CPU that a move under way takes it to, or {@link Schedulable#STAYS}. */
    private final AtomicInteger destination = new AtomicInteger(Schedulable.STAYS);
    private final VcpuCounters counters = new VcpuCounters();
    private final ExitLog exitLog = new ExitLog();
    private final BootRegisters bootRegisters = new BootRegisters();
    private final EdgeLine haltLine = new EdgeLine();
    private final EdgeLine wakeupLine = new EdgeLine();
    private VcpuOptions options = VcpuOptions.NONE;
    private int priority = Schedulable.DEFAULT_PRIORITY;
    private long timesliceNs;
    private CSpace cspace;
    private Addrspace addrspace;
    private Vic vic;
    private int vicIndex = -1;
    private long mpidr = MPIDR_NO_VIC;
    private volatile PowerGroup group;
    private int groupIndex = -1;
    private String name;
    private VcpuEngine engine;
    private VcpuTimers timers;
    private volatile boolean killed;
    /** Powered on once and not exited: counted in the address space. */
    private boolean mayRun;
    private volatile boolean resetPending;
    private boolean executing;
    private volatile String failure = "";

    public Vcpu(int id, Machine machine) {
        super(id);
        this.machine = machine;
        this.thread = new VcpuThread(this, machine, control);
        this.timesliceNs = machine.timesliceNs();
        this.name = "thread-" + id;
    }

    // Configuration, in INIT.

    HypError configure(long bits) {
        if (!VcpuOptions.known(bits)) {
            return HypError.ARGUMENT_INVALID;
        }
        options = new VcpuOptions(bits);
        return HypError.OK;
    }

    HypError setPriority(long newPriority) {
        if (newPriority < 0 || newPriority > Schedulable.MAX_PRIORITY) {
            return HypError.DENIED;
        }
        priority = (int) newPriority;
        return HypError.OK;
    }

    HypError setTimeslice(long newTimesliceNs) {
        if (newTimesliceNs < VcpuOptions.MIN_TIMESLICE_NS || newTimesliceNs > VcpuOptions.MAX_TIMESLICE_NS) {
            return HypError.ARGUMENT_INVALID;
        }
        timesliceNs = newTimesliceNs;
        return HypError.OK;
    }

    @Override
    public synchronized HypError attachCspace(CSpace newCspace) {
        if (state() != State.INIT || !newCspace.retain()) {
            return HypError.OBJECT_STATE;
        }
        CSpace old = cspace;
        cspace = newCspace;
        if (old != null) {
            old.release();
        }
        return HypError.OK;
    }

    /** Takes over the place that the caller counted in with {@link Addrspace#attachThread}. */
    @Override
    public synchronized HypError attachAddrspace(Addrspace newAddrspace) {
        if (state() != State.INIT || !newAddrspace.retain()) {
            return HypError.OBJECT_STATE;
        }
        dropAddrspace();
        addrspace = newAddrspace;
        return HypError.OK;
    }

    private void dropAddrspace() {
        if (addrspace != null) {
            addrspace.detachThread();
            addrspace.release();
        }
    }

    synchronized HypError attachVic(Vic newVic, long index) {
        if (state() != State.INIT) {
            return HypError.OBJECT_STATE;
        }
        if (vic != null) {
            return HypError.BUSY;
        }
        if (index < 0 || index >= Vic.MAX_VCPUS || !newVic.retain()) {
            return HypError.ARGUMENT_INVALID;
        }
        HypError error = newVic.attach(this, (int) index);
        if (error != HypError.OK) {
            newVic.release();
            return error;
        }
        vic = newVic;
        vicIndex = (int) index;
        return HypError.OK;
    }

    /** Joins a VPM group. {@return OBJECT_STATE when active, BUSY when it is in one} */
    public synchronized HypError joinGroup(PowerGroup newGroup, int index) {
        if (state() != State.INIT) {
            return HypError.OBJECT_STATE;
        }
        if (group != null) {
            return HypError.BUSY;
        }
        group = newGroup;
        groupIndex = index;
        return HypError.OK;
    }

    @Override
    protected synchronized void describe(StateText text) {
        text.put("options", options.bits()).put("priority", priority).put("timeslice_ns", timesliceNs);
        text.put("affinity", thread.affinity());
        text.put("cspace", cspace).put("addrspace", addrspace).put("vic", vic).put("vic.index", vicIndex);
        text.put("mpidr", mpidr).put("group", (KernelObject) group).put("group.index", groupIndex);
        text.put("blocks", String.join(",", Block.names(blocks.get()))).put("killed", killed).put("may_run", mayRun);
        text.put("reset.pending", resetPending).put("failure", failure);
        text.put("halt", haltLine).put("wakeup", wakeupLine);
        bootRegisters.describe(text);
        run.describe(text);
    }

    /** While it executes it holds itself. */
    @Override
    protected synchronized int passingReferences() {
        return executing ? 1 : 0;
    }

    @Override
    protected HypError onActivate() {
        if (cspace == null || addrspace == null || vic == null) {
            return HypError.OBJECT_CONFIG;
        }
        int index = index();
        name = "vm-%d/vcpu-%d".formatted(addrspace.vmid(), index);
        thread.configure(priority, timesliceNs);
        engine = machine.engines().engineOf(this);
        timers = new VcpuTimers(this, engine, machine);
        HypError error = timers.bind(vic, vicIndex);
        if (error != HypError.OK) {
            return error;
        }
        if (options.proxyScheduled()) {
            blocks.getAndUpdate(old -> old | Block.VCPU_RUN.bit());
        }
        machine.registry().add(addrspace.vmid(), this);
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        kill();
        if (engine != null) {
            machine.registry().remove(addrspace.vmid(), this);
            timers.unbind();
            thread.close();
            engine.close();
        }
        haltLine.unbind();
        wakeupLine.unbind();
        PowerGroup left = group;
        if (left != null) {
            left.left(this);
        }
        if (vic != null) {
            vic.detach(vicIndex);
            vic.release();
        }
        dropAddrspace();
        if (cspace != null) {
            cspace.release();
        }
    }

    // What others read.

    public String name() {
        return name;
    }

    /** {@return index in its VM, as the VIC counts; 0 without one} */
    public int index() {
        return Math.max(vicIndex, 0);
    }

    public int groupIndex() {
        return groupIndex;
    }

    public long mpidrValue() {
        return mpidr;
    }

    /** {@return whether an affinity is that of a vCPU this VM may have, there or not} */
    public boolean knowsMpidr(long affinity) {
        return vic.knowsAffinity(affinity);
    }

    public PowerGroup group() {
        return group;
    }

    public CSpace cspace() {
        return cspace;
    }

    public Addrspace addrspace() {
        return addrspace;
    }

    Vic vic() {
        return vic;
    }

    VcpuOptions options() {
        return options;
    }

    Machine machine() {
        return machine;
    }

    VcpuControl control() {
        return control;
    }

    VcpuThread thread() {
        return thread;
    }

    VcpuEngine engine() {
        return engine;
    }

    VcpuTimers timers() {
        return timers;
    }

    VcpuRun run() {
        return run;
    }

    VcpuCounters counters() {
        return counters;
    }

    ExitLog exitLog() {
        return exitLog;
    }

    EdgeLine haltLine() {
        return haltLine;
    }

    EdgeLine wakeupLine() {
        return wakeupLine;
    }

    // Blocking.

    int blocks() {
        return blocks.get();
    }

    boolean runnable() {
        int now = blocks.get();
        return (killed ? now & Block.UNKILLABLE : now) == 0;
    }

    boolean killed() {
        return killed;
    }

    /** {@return the reasons before} */
    int block(Block reason) {
        return blocks.getAndUpdate(old -> old | reason.bit());
    }

    /** Lifts reasons and announces the vCPU if it became runnable. */
    void unblock(int reasons) {
        int old = blocks.getAndUpdate(now -> now & ~reasons);
        int lifted = old & reasons;
        if (lifted == 0) {
            return;
        }
        int left = old & ~reasons;
        if (Block.VCPU_RUN.in(left)) {
            if ((lifted & VcpuRun.WAKEUP_BLOCKS) != 0) {
                wakeupLine.fire();
            }
        } else if (runnable()) {
            announce();
        }
    }

    /** Tells the physical CPU it queues on; a proxy-scheduled vCPU queues nowhere and is found by who runs it. */
    private void announce() {
        Pcpu home = machine.pcpu(thread.affinity());
        if (home != null && !options.proxyScheduled()) {
            home.ready(thread);
        }
    }

    /** Takes the vCPU for one vcpu_run. {@return false when it is not proxy scheduled or somebody runs it} */
    boolean claimForRun() {
        return Block.VCPU_RUN.in(blocks.getAndUpdate(old -> old & ~Block.VCPU_RUN.bit()));
    }

    /** {@return the reasons at the moment of the return, without VCPU_RUN} */
    int returnFromRun() {
        return blocks.getAndUpdate(old -> old | Block.VCPU_RUN.bit());
    }

    /** Turns proxy scheduling on (a wake-up VIRQ is bound). {@return BUSY when it is executing} */
    synchronized HypError becomeProxyScheduled() {
        if (executing) {
            return HypError.BUSY;
        }
        if (!options.proxyScheduled()) {
            options = options.withProxyScheduling();
            if (state() == State.ACTIVE) {
                blocks.getAndUpdate(old -> old | Block.VCPU_RUN.bit());
            }
        }
        return HypError.OK;
    }

    // Interrupts.

    @Override
    public int vmid() {
        Addrspace attached = addrspace;
        return attached == null ? -1 : attached.vmid();
    }

    @Override
    public void interruptLines(boolean irq, boolean fiq) {
        control.irqLine = irq;
        control.fiqLine = fiq;
        control.raise(VcpuControl.IRQ);
    }

    @Override
    public void interruptPending() {
        wake();
    }

    @Override
    public void mpidr(long value) {
        mpidr = value;
    }

    /** A wake-up: ends WFI, suspend and a directed yield of this vCPU. Any thread. */
    void wake() {
        if ((blocks.get() & WAKE_BLOCKS) != 0) {
            unblock(WAKE_BLOCKS);
        }
        thread.cancelYield();
    }

    // Affinity.

    /**
     * Moves it to another physical CPU: it is blocked until the old one has let go of it.
     *
     * @return OK also when it is there; DENIED when it is pinned or lends its CPU; RETRY when another move is under way
     */
    HypError setAffinityTo(int cpu) {
        if (cpu != Schedulable.NO_CPU && machine.pcpu(cpu) == null) {
            return HypError.ARGUMENT_INVALID;
        }
        if (state() == State.INIT) {
            thread.placeOn(cpu);
            return HypError.OK;
        }
        int pending = destination.get();
        if (cpu == (pending == Schedulable.STAYS ? thread.affinity() : pending)) {
            return HypError.OK;
        }
        if (options.pinned() || thread.lends()) {
            return HypError.DENIED;
        }
        if (!destination.compareAndSet(Schedulable.STAYS, cpu)) {
            return HypError.RETRY;
        }
        // Before its CPU is looked up; pairs with PcpuActor.take, which claims it first and then looks at the blocks.
        block(Block.AFFINITY);
        Pcpu on = thread.runningOn();
        Pcpu holder = on != null ? on : machine.pcpu(thread.affinity());
        if (holder != null) {
            holder.move(thread, cpu);
        } else {
            thread.moved(cpu);
        }
        return HypError.OK;
    }

    /** The physical CPU let go of it. The block ends first: the next move sets it again. */
    void moveDone() {
        unblock(Block.AFFINITY.bit());
        destination.set(Schedulable.STAYS);
    }

    // Power and life.

    /**
     * Powers it on: a warm reset, then it runs.
     *
     * @return OK; BUSY when it is on; FAILURE when it is dying
     */
    public HypError powerOn(long entry, boolean keepEntry, long x0, boolean keepX0) {
        synchronized (this) {
            if (killed) {
                return HypError.FAILURE;
            }
            if (!Block.OFF.in(blocks.get())) {
                return HypError.BUSY;
            }
            bootRegisters.entry(entry, keepEntry, x0, keepX0);
            run.poweredOn();
            resetPending = true;
            if (!mayRun) {
                mayRun = true;
                addrspace.vcpuMayRun();
            }
        }
        trace(TraceSink.Power.ON);
        unblock(Block.OFF.bit());
        return HypError.OK;
    }

    public boolean isOff() {
        return Block.OFF.in(blocks.get());
    }

    /** Powers itself off; on its own thread. It stops executing when the call that does it ends. */
    public void powerOff() {
        trace(TraceSink.Power.OFF);
        block(Block.OFF);
        timers.stop();
        vic.resetCpuInterface(vicIndex);
    }

    /** Powered off by SYSTEM_OFF or SYSTEM_RESET: tells the owner by the halt VIRQ. On its own thread. */
    public void halt() {
        powerOff();
        haltLine.fire();
    }

    /** Records what vcpu_run reports after a PSCI reset; before {@link #halt}. */
    public void recordReset(long type, long cookie) {
        run.recordReset(type, cookie);
    }

    /** A critical VM powered off: the machine does. */
    public void machineOff() {
        if (options.critical()) {
            machine.power(Machine.PowerEvent.OFF);
        }
    }

    /** A critical VM was reset: the machine is. */
    public void machineReset() {
        if (options.critical()) {
            machine.power(Machine.PowerEvent.RESET);
        }
    }

    public boolean isSuspended() {
        return Block.SUSPEND.in(blocks.get());
    }

    /** PSCI CPU_SUSPEND; on its own thread. {@return false when a wake-up is pending and it goes on at once} */
    public boolean suspend(long powerState) {
        run.suspending(powerState);
        return !waitFor(Block.SUSPEND);
    }

    /** Warm reset when it runs next (wake-up from a power-down state). On its own thread. */
    public void resetOnWake(long entry, long x0) {
        bootRegisters.entry(entry, false, x0, false);
        resetPending = true;
    }

    /**
     * Blocks until the next wake-up. The reason is set before the pending interrupts are looked at, so a wake-up is
     * either seen here or lifts the reason.
     *
     * @return true when a wake-up was pending and nothing is blocked
     */
    boolean waitFor(Block reason) {
        block(reason);
        timers.evaluate();
        if (engine.takeIdleWakeup()) {
            blocks.getAndUpdate(now -> now & ~reason.bit());
            return true;
        }
        counters.waits++;
        return false;
    }

    /**
     * Ends it for good: it never executes a guest instruction again. If it is executing it unwinds on its own thread.
     *
     * @return OK also when it ended before
     */
    public HypError kill() {
        boolean exits;
        synchronized (this) {
            if (killed) {
                return HypError.OK;
            }
            killed = true;
            exits = !executing;
        }
        trace(TraceSink.Power.KILLED);
        control.raise(VcpuControl.STOP);
        if (exits) {
            exit();
        }
        thread.cancelYield();
        if (Block.VCPU_RUN.in(blocks.get())) {
            wakeupLine.fire();
        }
        return HypError.OK;
    }

    private void exit() {
        synchronized (this) {
            // Before anybody can see the exit: who sees it may take the private pages back.
            if (mayRun) {
                mayRun = false;
                addrspace.vcpuExited();
            }
        }
        block(Block.EXITED);
        if (timers != null) {
            timers.stop();
        }
    }

    /** Stops it because the hypervisor failed on it. */
    void fault(String reason) {
        failure = reason;
        trace(TraceSink.Power.FAILED);
        block(Block.FAULT);
        haltLine.fire();
    }

    private void trace(TraceSink.Power change) {
        TraceSink trace = machine.trace();
        if (trace != null && engine != null) {
            trace.power(addrspace.vmid(), index(), change);
        }
    }

    String failure() {
        return failure;
    }

    /** The vCPU's thread begins to execute. {@return false when it ended meanwhile, or nobody owns it any more} */
    boolean beginExecution() {
        synchronized (this) {
            if (Block.EXITED.in(blocks.get()) || !retain()) {
                return false;
            }
            executing = true;
        }
        counters.runs++;
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
        release();
    }

    /** On its thread, before guest code: applies a reset that power-on or a wake-up asked for. */
    void applyReset() {
        if (resetPending) {
            resetPending = false;
            bootRegisters.apply(engine);
        }
    }

    /** vcpu_register_write. */
    synchronized HypError writeRegister(long set, long index, long value) {
        if (state() == State.DESTROYED || killed) {
            return HypError.OBJECT_STATE;
        }
        return isOff() ? bootRegisters.write(set, index, value) : HypError.BUSY;
    }

    // Descriptions.

    /** The actor is there. Called by the {@link Machine.VcpuStarter}. */
    public void started(akka.actor.typed.ActorRef<VcpuActor.Command> actor) {
        thread.start(actor);
    }

    /** Ends its thread, whatever it does; the machine stops. */
    public void shutDown() {
        kill();
        thread.close();
    }

    String stateName() {
        int now = blocks.get();
        if (!failure.isEmpty()) {
            return "failed";
        }
        return Block.EXITED.in(now) ? "exited" : killed ? "killed" : Block.OFF.in(now) ? "off"
                : thread.runningOn() != null ? "running" : now == 0 ? "ready" : "blocked";
    }

    public VcpuStatistics statistics() {
        return new VcpuStatistics(name, index(), stateName(), engine.retired(), thread.runNs(),
                thread.waitNs(), thread.longestWaitNs(), counters.runs, counters.hypercalls, counters.stage2Faults,
                counters.vmmioExits, counters.pageFaultExits, counters.vdeviceAccesses, counters.injectedAborts,
                counters.waits, vic.delivered(vicIndex));
    }

    public VcpuDescription describe() {
        List<String> reasons = Block.names(blocks.get());
        return engine.describe(name, stateName(), reasons, exitLog.lines(), failure);
    }

    @Override
    public String toString() {
        return name;
    }
}
