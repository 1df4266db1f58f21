package gunyah.hyp.vcpu;

import gunyah.hyp.trace.TraceSink;


/**
 * Power of one vCPU as PSCI asks for it. What the vCPU does to itself is called on its own thread and takes effect when
 * the call that does it ends.
 */
public final class VcpuPower {
    private final Vcpu vcpu;
    private final Blocks blocks;

    VcpuPower(Vcpu vcpu, Blocks blocks) {
        this.vcpu = vcpu;
        this.blocks = blocks;
    }

    public boolean isOff() {
        return blocks.has(Block.OFF);
    }

    public boolean isSuspended() {
        return blocks.has(Block.SUSPEND);
    }

    /** Powers itself off. */
    public void off() {
        vcpu.trace(TraceSink.Power.OFF);
        blocks.block(Block.OFF);
        vcpu.timers().stop();
        vcpu.vic().resetCpuInterface(vcpu.index());
    }

    /** Powered off by SYSTEM_OFF or SYSTEM_RESET: tells the owner by the halt VIRQ. */
    public void halt() {
        off();
        vcpu.haltLine().fire();
    }

    /** Records what vcpu_run reports after a PSCI reset; before {@link #halt}. */
    public void recordReset(long type, long cookie) {
        vcpu.run().recordReset(type, cookie);
    }

    /** Its VM powered off or was reset: if that is critical, the machine is. */
    public void machine(Machine.PowerEvent event) {
        if (vcpu.options().critical()) {
            vcpu.machine().power(event);
        }
    }

    /** CPU_SUSPEND. {@return false when a wake-up is pending and it goes on at once} */
    public boolean suspend(long powerState) {
        vcpu.run().suspending(powerState);
        return !waitFor(Block.SUSPEND);
    }

    /** Warm reset when it runs next (wake-up from a power-down state). */
    public void resetOnWake(long entry, long x0) {
        vcpu.life().resetOnWake(entry, x0);
    }

    /**
     * Blocks until the next wake-up. The reason is set before the pending interrupts are looked at, so a wake-up is
     * either seen here or lifts the reason.
     *
     * @return true when a wake-up was pending and nothing is blocked
     */
    boolean waitFor(Block reason) {
        blocks.block(reason);
        vcpu.timers().evaluate();
        if (vcpu.engine().takeIdleWakeup()) {
            blocks.resume(reason);
            return true;
        }
        vcpu.counters().waits++;
        return false;
    }
}
