package gunyah.hyp.vcpu;

import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.HypError;
import gunyah.hyp.StateText;
import gunyah.hyp.ThreadObject;
import gunyah.hyp.VcpuDescription;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.Schedulable;
import gunyah.hyp.trace.TraceSink;
import gunyah.hyp.vic.Vic;
import gunyah.hyp.vic.VicTarget;

/**
 * A virtual CPU as a kernel object (Gunyah hyp/vm/vcpu, hyp/core/thread_standard): its configuration, and the way in to
 * its parts. Those are objects of their own: what it is attached to ({@link Attachments}), why it does not run
 * ({@link Blocks}), whether it lives ({@link VcpuLife}, {@link VcpuPower}), where it runs ({@link VcpuThread},
 * {@link VcpuMove}) and what its proxy hears of it ({@link VcpuRun}).
 */
public final class Vcpu extends ThreadObject implements VicTarget {
    private final Machine machine;
    private final VcpuControl control = new VcpuControl();
    private final Attachments attachments = new Attachments(this);
    private final Blocks blocks = new Blocks(this);
    private final VcpuLife life = new VcpuLife(this, blocks);
    private final VcpuPower power = new VcpuPower(this, blocks);
    private final VcpuRun run = new VcpuRun(this);
    private final VcpuThread thread;
    private final VcpuMove move;
    private final VcpuCounters counters = new VcpuCounters();
    private final ExitLog exitLog = new ExitLog();
    private final EdgeLine haltLine = new EdgeLine();
    private final EdgeLine wakeupLine = new EdgeLine();
    private VcpuOptions options = VcpuOptions.NONE;
    private int priority = Schedulable.DEFAULT_PRIORITY;
    private long timesliceNs;
    private String name;
    private VcpuEngine engine;
    private VcpuTimers timers;

    public Vcpu(int id, Machine machine) {
        super(id);
        this.machine = machine;
        this.thread = new VcpuThread(this, machine, control);
        this.move = new VcpuMove(machine, thread, blocks);
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
        return state() == State.INIT ? attachments.attach(newCspace) : HypError.OBJECT_STATE;
    }

    /** Takes over the place that the caller counted in with {@link Addrspace#attachThread}. */
    @Override
    public synchronized HypError attachAddrspace(Addrspace newAddrspace) {
        return state() == State.INIT ? attachments.attach(newAddrspace) : HypError.OBJECT_STATE;
    }

    synchronized HypError attachVic(Vic newVic, long index) {
        return state() == State.INIT ? attachments.attach(newVic, index) : HypError.OBJECT_STATE;
    }

    /** Joins a VPM group. {@return OBJECT_STATE when active, BUSY when it is in one} */
    public synchronized HypError joinGroup(PowerGroup newGroup, int index) {
        return state() == State.INIT ? attachments.join(newGroup, index) : HypError.OBJECT_STATE;
    }

    @Override
    protected synchronized void describe(StateText text) {
        text.put("options", options.bits()).put("priority", priority).put("timeslice_ns", timesliceNs);
        text.put("affinity", thread.affinity());
        attachments.describe(text);
        text.put("blocks", String.join(",", blocks.names())).put("halt", haltLine).put("wakeup", wakeupLine);
        life.describe(text);
        run.describe(text);
    }

    /** While it executes it holds itself. */
    @Override
    protected int passingReferences() {
        return life.executing() ? 1 : 0;
    }

    @Override
    protected HypError onActivate() {
        if (!attachments.complete()) {
            return HypError.OBJECT_CONFIG;
        }
        name = "vm-%d/vcpu-%d".formatted(vmid(), index());
        thread.configure(priority, timesliceNs);
        engine = machine.engines().engineOf(this);
        timers = new VcpuTimers(this, engine, machine);
        HypError error = timers.bind(vic(), index());
        if (error != HypError.OK) {
            return error;
        }
        if (options.proxyScheduled()) {
            blocks.block(Block.VCPU_RUN);
        }
        machine.registry().add(vmid(), this);
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        kill();
        if (engine != null) {
            machine.registry().remove(vmid(), this);
            timers.unbind();
            thread.close();
            engine.close();
        }
        haltLine.unbind();
        wakeupLine.unbind();
        attachments.drop();
    }

    // What others read.

    public String name() {
        return name;
    }

    /** {@return index in its VM, as the VIC counts; 0 without one} */
    public int index() {
        return attachments.index();
    }

    public int groupIndex() {
        return attachments.groupIndex();
    }

    public long mpidrValue() {
        return attachments.mpidr();
    }

    /** {@return whether an affinity is that of a vCPU this VM may have, there or not} */
    public boolean knowsMpidr(long affinity) {
        return vic().knowsAffinity(affinity);
    }

    public PowerGroup group() {
        return attachments.group();
    }

    public CSpace cspace() {
        return attachments.cspace();
    }

    public Addrspace addrspace() {
        return attachments.addrspace();
    }

    Vic vic() {
        return attachments.vic();
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

    Blocks blocks() {
        return blocks;
    }

    VcpuLife life() {
        return life;
    }

    /** {@return its power, as PSCI sees it} */
    public VcpuPower power() {
        return power;
    }

    VcpuMove move() {
        return move;
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

    // Scheduling.

    /** Tells the physical CPU it queues on; a proxy-scheduled vCPU queues nowhere and is found by who runs it. */
    void announce() {
        Pcpu home = machine.pcpu(thread.affinity());
        if (home != null && !options.proxyScheduled()) {
            home.ready(thread);
        }
    }

    /**
     * Binds the wake-up VIRQ and turns proxy scheduling on.
     *
     * @return OK; BUSY when it is executing; why the VIRQ cannot be bound, and then nothing has changed
     */
    HypError bindWakeup(Vic controller, int virq) {
        return life.unlessExecuting(() -> {
            HypError error = controller.bind(wakeupLine, virq);
            if (error == HypError.OK && !options.proxyScheduled()) {
                options = options.withProxyScheduling();
                if (state() == State.ACTIVE) {
                    blocks.block(Block.VCPU_RUN);
                }
            }
            return error;
        });
    }

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
        return move.to(cpu, options.pinned());
    }

    // Interrupts.

    @Override
    public int vmid() {
        Addrspace attached = addrspace();
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

    /** Makes an SError pending with that ISS. Any thread. */
    public void systemError(int iss) {
        control.pendSerror(iss);
        wake();
    }

    @Override
    public void mpidr(long value) {
        attachments.mpidr(value);
    }

    /** A wake-up: ends WFI, suspend and a directed yield of this vCPU. Any thread. */
    void wake() {
        blocks.wake();
        thread.cancelYield();
    }

    // Life.

    /**
     * Powers it on: a warm reset, then it runs.
     *
     * @return OK; BUSY when it is on; FAILURE when it is dying or failed while it was off
     */
    public HypError powerOn(long entry, boolean keepEntry, long x0, boolean keepX0) {
        return life.powerOn(entry, keepEntry, x0, keepX0);
    }

    /** vcpu_register_write. */
    HypError writeRegister(long set, long index, long value) {
        return state() == State.DESTROYED ? HypError.OBJECT_STATE : life.writeRegister(set, index, value);
    }

    /**
     * Ends it for good: it never executes a guest instruction again. If it is executing it unwinds on its own thread.
     *
     * @return OK also when it ended before
     */
    public HypError kill() {
        if (life.kill()) {
            thread.cancelYield();
            if (blocks.has(Block.VCPU_RUN)) {
                wakeupLine.fire();
            }
        }
        return HypError.OK;
    }

    /** Stops it because something failed that it depends on. Any thread. */
    void fail(String reason) {
        if (life.fail(reason)) {
            thread.cancelYield();
        }
    }

    /** Its actor failed and has ended: what its thread had is given back. */
    void abandoned(String reason) {
        fail(reason);
        thread.abandon();
    }

    void stopTimers() {
        if (timers != null) {
            timers.stop();
        }
    }

    // Its actor, and descriptions.

    /** The actor is there. Called by the {@link Machine.VcpuStarter}. */
    public void started(akka.actor.typed.ActorRef<VcpuActor.Command> actor) {
        thread.start(actor);
    }

    /** Ends its thread, whatever it does; the machine stops. */
    public void shutDown() {
        kill();
        thread.close();
    }

    void trace(TraceSink.Power change) {
        TraceSink trace = machine.trace();
        if (trace != null && engine != null) {
            trace.power(vmid(), index(), change);
        }
    }

    private String stateName() {
        if (!life.failure().isEmpty()) {
            return "failed";
        }
        return blocks.has(Block.EXITED) ? "exited" : life.killed() ? "killed" : blocks.has(Block.OFF) ? "off"
                : thread.runningOn() != null ? "running" : blocks.bits() == 0 ? "ready" : "blocked";
    }

    public VcpuStatistics statistics() {
        // before the sum, which a wait is added to first: no wait is longer than all together
        long longestWaitNs = thread.longestWaitNs();
        return new VcpuStatistics(name, index(), stateName(), engine.retired(), thread.runNs(),
                thread.waitNs(), longestWaitNs, counters.runs, counters.hypercalls, counters.stage2Faults,
                counters.vmmioExits, counters.pageFaultExits, counters.vdeviceAccesses, counters.injectedAborts,
                counters.waits, vic().delivered(index()));
    }

    public VcpuDescription describe() {
        // It is not stopped yet at the moment its address space fails, and its proxy notices first.
        String failure = life.failure().isEmpty() ? addrspace().defect() : life.failure();
        return engine.describe(name, stateName(), blocks.names(), exitLog.lines(), failure);
    }

    @Override
    public String toString() {
        return name;
    }
}
