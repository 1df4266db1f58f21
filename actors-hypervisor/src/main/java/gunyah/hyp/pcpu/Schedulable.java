package gunyah.hyp.pcpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The scheduling side of a thread. The package-private fields belong to the actor of the physical CPU the thread is
 * affine to, or which runs it by directed yield; {@link #acquire} makes sure that is one CPU at a time.
 */
public abstract class Schedulable {
    /** Affinity of a thread that runs by directed yield only (CPU_INDEX_INVALID). */
    public static final int NO_CPU = 0xFFFF;
    /** The highest priority of a thread, VCPU_MAX_PRIORITY. */
    public static final int MAX_PRIORITY = 62;
    public static final int DEFAULT_PRIORITY = 32;

    /** Destination of a thread that is not being moved. */
    public static final int STAYS = -1;

    private static final VarHandle RUNNING_ON;

    static {
        try {
            RUNNING_ON = MethodHandles.lookup().findVarHandle(Schedulable.class, "runningOn", Pcpu.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private int priority = DEFAULT_PRIORITY;
    private long timesliceNs;
    private volatile int affinity = NO_CPU;
    private volatile Pcpu runningOn;

    long remainingNs;
    /** What it took beyond its slices and has not paid back. */
    long owedNs;
    boolean queued;
    Schedulable previous;
    Schedulable next;
    /** Who runs in this thread's place; null when it runs itself. */
    Schedulable yieldTarget;
    /** The CPU that a move under way takes it to, or {@link #STAYS}. */
    int destination = STAYS;
    /** Since when it is queued. */
    long waitingSinceNs;
    /** Nanoseconds it had the CPU; written by the owning CPU's actor, read by anybody for statistics. */
    volatile long runNs;
    /** Nanoseconds it was queued, and the longest of those waits; as {@link #runNs}. */
    private volatile long waitNs;
    private volatile long longestWaitNs;

    /** @param timesliceNs default slice */
    protected Schedulable(long timesliceNs) {
        this.timesliceNs = timesliceNs;
        this.remainingNs = timesliceNs;
    }

    public final int priority() {
        return priority;
    }

    public final long timesliceNs() {
        return timesliceNs;
    }

    /** {@return VMID of the VM it belongs to, -1 for none} For a trace. */
    public int vmid() {
        return -1;
    }

    /** {@return its number in that VM} For a trace. */
    public int vcpuIndex() {
        return 0;
    }

    /** {@return index of the physical CPU it queues on, or {@link #NO_CPU}} */
    public final int affinity() {
        return affinity;
    }

    /** {@return nanoseconds it had a physical CPU so far, up to the last scheduling decision} */
    public final long runNs() {
        return runNs;
    }

    /** {@return nanoseconds it was runnable and waited for its turn; a wait under way is not in it} */
    public final long waitNs() {
        return waitNs;
    }

    /** {@return the longest of these waits, nanoseconds} */
    public final long longestWaitNs() {
        return longestWaitNs;
    }

    /** {@return the CPU that has granted itself to the thread, or null} */
    public final Pcpu runningOn() {
        return runningOn;
    }

    /** Before the thread's first run only. */
    protected final void schedule(int newPriority, long newTimesliceNs) {
        priority = newPriority;
        timesliceNs = newTimesliceNs;
        remainingNs = newTimesliceNs;
    }

    /** Before the thread's first run, or by the CPU actor that finishes a move. */
    protected final void setAffinity(int cpu) {
        affinity = cpu;
    }

    /** Takes the thread for one CPU. {@return false when another CPU runs it} */
    final boolean acquire(Pcpu cpu) {
        return RUNNING_ON.compareAndSet(this, null, cpu);
    }

    final void releaseCpu() {
        runningOn = null;
    }

    /** A wait in the queue ended; by the owning CPU's actor. */
    final void waited(long ns) {
        waitNs += ns;
        if (ns > longestWaitNs) {
            longestWaitNs = ns;
        }
    }

    /** {@return whether nothing blocks it, or it was killed and has to unwind} Any thread. */
    protected abstract boolean runnable();

    /**
     * {@return whether the thread has a wake-up that ends (or forbids) its directed yield} A wake-up that is not a
     * level is consumed. Called by the CPU's actor.
     */
    protected abstract boolean takeWakeup();

    /** Gives it the CPU. Called in the CPU actor's turn: must not block and must not call that actor. */
    protected abstract void grant(Pcpu cpu);

    /**
     * {@return whether {@link #grant} of this CPU has reached it} Asked when that call failed.
     */
    protected abstract boolean holds(Pcpu cpu);

    /** Asks it to release the CPU soon; the thread answers with {@link PcpuActor.Release}. As {@link #grant}. */
    protected abstract void preempt();

    /** Tells the CPU it is affine to that it is runnable. As {@link #grant}. */
    protected abstract void announceHome();

    /** A move asked for by {@link PcpuActor.Move} is done: the thread is on no CPU. As {@link #grant}. */
    protected abstract void moved(int cpu);
}
