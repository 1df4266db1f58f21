package gunyah.arm64.state;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The one shared object through which other threads reach a vCPU that is executing guest code. The attention word is
 * a set of bits: anybody raises them, the vCPU's thread polls (opaque) at back edges and takes them. Whoever raises a
 * bit on a vCPU that is not executing must also tell its actor. {@link #irqLine} and {@link #fiqLine} are levels that
 * the interrupt controller keeps: true while a deliverable interrupt is pending. An SError is pending from
 * {@link #pendSerror} until the vCPU takes it (Arm ARM DDI 0487, D1.3.6).
 */
public final class VcpuControl {
    /** Give the slice back: the engine exits with {@link CpuExit.Kind#PREEMPTED}. */
    public static final int PREEMPT = 1;
    /** The interrupt lines changed. */
    public static final int IRQ = 2;
    /** Another CPU of the inner shareable domain, or the stage-2 owner, wants translations dropped. */
    public static final int TLB = 4;
    /** Leave guest code for good (kill, shutdown); exits like PREEMPT. */
    public static final int STOP = 8;
    /** A timer deadline passed: the engine calls {@link CpuPort#timerExpired}. */
    public static final int TIMER = 16;
    /** The debugger wants the CPU; exits with {@link CpuExit.Kind#DEBUG}. */
    public static final int DEBUG = 32;
    /** SEV by another CPU: set the event register. */
    public static final int EVENT = 64;

    private static final VarHandle ATTENTION;
    private static final VarHandle SERROR;

    static {
        try {
            ATTENTION = MethodHandles.lookup().findVarHandle(VcpuControl.class, "attention", int.class);
            SERROR = MethodHandles.lookup().findVarHandle(VcpuControl.class, "serror", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** No SError is pending. */
    private static final int NO_SERROR = -1;

    private int attention;
    /** ISS of the pending SError. */
    private volatile int serror = NO_SERROR;

    /** Level of the IRQ input. Written by the interrupt controller. */
    public volatile boolean irqLine;
    /** Level of the FIQ input. Written by the interrupt controller. */
    public volatile boolean fiqLine;
    /** True while the vCPU's thread is inside guest code. Written by that thread only. */
    public volatile boolean inGuest;

    /**
     * Makes an SError pending; one that is pending already is replaced. Any thread.
     *
     * @param iss what ESR_EL1.ISS will say, 25 bits
     */
    public void pendSerror(int iss) {
        serror = iss & 0x1FF_FFFF;
        raise(IRQ);
    }

    /** {@return whether an SError is pending} */
    public boolean isSerrorPending() {
        return serror != NO_SERROR;
    }

    /** {@return the ISS of the SError that was pending and is not any more} vCPU thread only. */
    public int takeSerror() {
        return (int) SERROR.getAndSet(this, NO_SERROR);
    }

    /** {@return whether an interrupt is pending that ends WFI: PSTATE masks none of them} */
    public boolean isInterruptPending() {
        return irqLine || fiqLine || isSerrorPending();
    }

    /** {@return whether an interrupt is pending that PSTATE.DAIF, as in SPSR_EL1, lets through} */
    public boolean hasInterrupt(int daif) {
        return irqLine && (daif & CpuState.DAIF_I) == 0 || fiqLine && (daif & CpuState.DAIF_F) == 0
                || isSerrorPending() && (daif & CpuState.DAIF_A) == 0;
    }

    /** Sets bits. Any thread. Full fence: what was written before is seen by the vCPU after it takes the bits. */
    public void raise(int bits) {
        ATTENTION.getAndBitwiseOr(this, bits);
    }

    /** {@return the bits, without taking them}; opaque, for polling. */
    public int peek() {
        return (int) ATTENTION.getOpaque(this);
    }

    /** {@return the bits, which are cleared}; pairs with {@link #raise}. vCPU thread only. */
    public int take() {
        return (int) ATTENTION.getAndSet(this, 0);
    }
}
