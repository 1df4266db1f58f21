package gunyah.hyp.vic;

/** What a virtual interrupt controller needs of a vCPU attached to it. Any thread. */
public interface VicTarget {
    /** {@return the VM it belongs to, -1 before it has an address space} */
    int vmid();

    /**
     * Sets the levels of the interrupt inputs. Called with the controller's lock held: must not block or call back.
     */
    void interruptLines(boolean irq, boolean fiq);

    /** An interrupt can be taken: ends WFI, suspend and directed yields. Called without locks. */
    void interruptPending();

    /** MPIDR_EL1 becomes this. Called once, when the vCPU is attached, before it runs. */
    void mpidr(long value);
}
