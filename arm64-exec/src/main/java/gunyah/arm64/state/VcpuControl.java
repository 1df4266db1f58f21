package gunyah.arm64.state;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The one shared object through which other threads reach a vCPU that is executing guest code. The attention word is
 * a set of bits: anybody raises them, the vCPU's thread polls (opaque) at back edges and takes them. Whoever raises a
 * bit on a vCPU that is not executing must also tell its actor. {@link #irqLine} and {@link #fiqLine} are levels that
 * the interrupt controller keeps: true while a deliverable interrupt is pending.
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

    static {
        try {
            ATTENTION = MethodHandles.lookup().findVarHandle(VcpuControl.class, "attention", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private int attention;

    /** Level of the IRQ input. Written by the interrupt controller. */
    public volatile boolean irqLine;
    /** Level of the FIQ input. Written by the interrupt controller. */
    public volatile boolean fiqLine;
    /** True while the vCPU's thread is inside guest code. Written by that thread only. */
    public volatile boolean inGuest;

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
