package gunyah.hyp;

/**
 * Hears what vCPUs and interrupt controllers do, as it happens: for a trace of the machine. Called by whichever thread
 * does it, mostly vCPU threads in the middle of a slice and by the Java VMs' threads too; an implementation is thread
 * safe and neither blocks nor makes hypercalls. A machine without one pays a null check for each event.
 */
public interface TraceSink {
    /** What became of a stage-2 fault. */
    enum Fault {
        /** The vCPU waits until its proxy mapped the page. */
        PAGE_FAULT,
        /** The vCPU waits for its proxy's device model. */
        VMMIO,
        /** A device of the hypervisor answered. */
        VDEVICE,
        /** Mapped meanwhile: the instruction is executed again. */
        RETRY,
        /** The guest took an external abort. */
        ABORT
    }

    /** Changes in the life of a vCPU. */
    enum Power {
        ON, OFF,
        /** It never executes again. */
        KILLED,
        /** The hypervisor failed on it. */
        FAILED
    }

    /**
     * Guest code made a call by HVC or SMC, and it is done.
     *
     * @param pc       of the instruction after it
     * @param name     of the Gunyah hypercall, or empty for other calls
     * @param function SMCCC function id; of the native convention the immediate
     * @param result   X0 after it
     */
    void hypercall(int vmid, int vcpu, long pc, String name, long function, long result);

    /**
     * Guest code missed stage 2.
     *
     * @param pc     of the instruction
     * @param ipa    with its low 12 bits
     * @param access the wanted {@link gunyah.memory.Access} bit
     */
    void stage2Fault(int vmid, int vcpu, long pc, long ipa, int access, Fault fault);

    /** WFI without a pending interrupt, or a Java VM's vCPU without work. */
    void idle(int vmid, int vcpu, long pc);

    void power(int vmid, int vcpu, Power change);

    /**
     * A line into a VM was asserted.
     *
     * @param vmid -1 for a controller that belongs to no VM yet
     * @param vcpu owner of a private interrupt, -1 for a shared one
     */
    void virq(int vmid, int vcpu, int intid);
}
