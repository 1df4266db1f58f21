package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import gunyah.hyp.Caller;
import gunyah.hyp.VcpuDescription;
import java.util.List;

/**
 * What executes a vCPU: A64 code or a piece of Java. Used by the thread that executes the vCPU; by others only while it does not
 * execute.
 */
interface VcpuEngine {
    /**
     * Executes until something needs the vCPU; {@link #exit} tells more.
     *
     * @return WFI also for Java work without anything to do
     */
    CpuExit.Kind run();

    /** {@return details of the last exit} */
    CpuExit exit();

    /** {@return X0..X30 at least} */
    long[] x();

    /** {@return address of the next instruction} */
    long pc();

    /** {@return retired instructions} */
    long retired();

    /** Warm reset: EL1h, MMU off, timers off, other general registers unchanged. */
    void reset(long pc, long x0);

    /** Writes SP_EL0 or SP_EL1. */
    void writeSp(int el, long value);

    /** Ends the faulting load with this value, zero extended; it is extended and truncated as the load says. */
    void completeMmioRead(long value);

    void completeMmioWrite();

    void injectExternalAbort();

    /** Describes the exit EXCEPTION_LOOP: the vector, and what led there. */
    String exceptionLoop();

    /** {@return whether other threads than its actor's may call {@link #run}, one at a time} */
    boolean runsOnAnyThread();

    /** {@return who makes the hypercalls of this vCPU} */
    Caller caller();

    /** {@return level of the timer's interrupt} {@code ticks} is the system counter. */
    boolean virtualTimerLine(long ticks);

    boolean physicalTimerLine(long ticks);

    /** {@return the level of the PMU's overflow interrupt} */
    boolean overflowLine();

    /** {@return counter value of the next timer interrupt, {@link Long#MAX_VALUE} for none} */
    long nextTimerDeadline();

    /** Disables both timers. */
    void stopTimers();

    /** {@return whether a wake-up is pending that ends WFI and directed yields} Any thread; consumes nothing. */
    boolean wakeupPending();

    /** {@return whether a wake-up forbids a directed yield} Consumes it unless it is a level. Any thread. */
    boolean takeYieldWakeup();

    /** {@return whether WFI ends at once} Consumes the wake-up unless it is a level. */
    boolean takeIdleWakeup();

    /** Describes the registers; see {@link VcpuDescription}. */
    VcpuDescription describe(String name, String state, List<String> blocks, List<String> lastExits, String failure);

    /** The vCPU is gone: gives back what it shares with others. */
    void close();
}
