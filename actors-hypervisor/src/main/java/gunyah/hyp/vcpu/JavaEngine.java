package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.Caller;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.VcpuDescription;
import gunyah.hyp.VcpuWork;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Executes a piece of Java as the vCPU's program: no registers, no timers, wake-ups instead of interrupt lines. */
final class JavaEngine implements VcpuEngine {
    private final Vcpu vcpu;
    private final VcpuWork work;
    private final VcpuPort port;
    private final Context context = new Context();
    private final CpuExit exit = new CpuExit();
    private final long[] x = new long[31];
    private long entry;
    private boolean booting;
    /** A wake-up that no idling has used up; set by any thread. */
    private final AtomicBoolean idleWakeup = new AtomicBoolean();
    /** A wake-up that has not ended or prevented a directed yield; set by any thread. */
    private final AtomicBoolean yieldWakeup = new AtomicBoolean();

    JavaEngine(Vcpu vcpu, VcpuWork work) {
        this.vcpu = vcpu;
        this.work = work;
        this.port = new VcpuPort(vcpu);
    }

    @Override
    public CpuExit.Kind run() {
        if (booting) {
            booting = false;
            work.boot(context, entry, x[0]);
        }
        // The work looks at what woke it before it lends its CPU, so earlier wake-ups need not end that.
        yieldWakeup.set(false);
        VcpuWork.Result result = work.run(context);
        int bits = vcpu.control().take();
        if ((bits & (VcpuControl.PREEMPT | VcpuControl.STOP)) != 0) {
            return CpuExit.Kind.PREEMPTED;
        }
        return result == VcpuWork.Result.IDLE ? CpuExit.Kind.WFI : CpuExit.Kind.BUDGET;
    }

    @Override
    public CpuExit exit() {
        return exit;
    }

    @Override
    public long[] x() {
        return x;
    }

    @Override
    public long pc() {
        return entry;
    }

    @Override
    public long retired() {
        return 0;
    }

    @Override
    public void reset(long pc, long x0) {
        entry = pc;
        x[0] = x0;
        booting = true;
    }

    @Override
    public void writeSp(int el, long value) {
        // Java has its own stack.
    }

    @Override
    public void completeMmioRead(long value) {
        throw new IllegalStateException("Java work makes no MMIO accesses");
    }

    @Override
    public void completeMmioWrite() {
        throw new IllegalStateException("Java work makes no MMIO accesses");
    }

    @Override
    public void injectExternalAbort() {
        throw new IllegalStateException("Java work takes aborts as exceptions of its port");
    }

    @Override
    public String exceptionLoop() {
        throw new IllegalStateException("Java work has no exception vectors");
    }

    /** Its port knows the vCPU by the thread. */
    @Override
    public boolean runsOnAnyThread() {
        return false;
    }

    @Override
    public Caller caller() {
        return port.caller();
    }

    @Override
    public boolean overflowLine() {
        return false;
    }

    @Override
    public boolean virtualTimerLine(long ticks) {
        return false;
    }

    @Override
    public boolean physicalTimerLine(long ticks) {
        return false;
    }

    @Override
    public long nextTimerDeadline() {
        return Long.MAX_VALUE;
    }

    @Override
    public void stopTimers() {
        // It has none.
    }

    @Override
    public boolean wakeupPending() {
        return idleWakeup.get();
    }

    @Override
    public boolean takeYieldWakeup() {
        return yieldWakeup.get() && yieldWakeup.getAndSet(false);
    }

    @Override
    public boolean takeIdleWakeup() {
        return idleWakeup.get() && idleWakeup.getAndSet(false);
    }

    @Override
    public VcpuDescription describe(String name, String state, List<String> blocks, List<String> lastExits,
            String failure) {
        return new VcpuDescription(name, state, blocks, vcpu.mpidrValue(), entry, List.of(), 0, 0, 1, 0, 0, 0, "",
                lastExits, failure);
    }

    @Override
    public void close() {
        // Nothing is shared.
    }

    private final class Context implements VcpuWork.Context {
        @Override
        public HypercallPort port() {
            return port;
        }

        @Override
        public boolean shouldYield() {
            return (vcpu.control().peek() & (VcpuControl.PREEMPT | VcpuControl.STOP)) != 0;
        }

        @Override
        public void wake() {
            // Before the block reasons are looked at; pairs with VcpuPower.waitFor, which sets the reason first.
            idleWakeup.set(true);
            yieldWakeup.set(true);
            vcpu.wake();
        }

        @Override
        public int index() {
            return vcpu.index();
        }
    }
}
