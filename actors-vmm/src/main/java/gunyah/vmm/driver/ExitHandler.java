package gunyah.vmm.driver;

/** What a client does with the exits of a vCPU. */
@FunctionalInterface
public interface ExitHandler {
    /** What happens after the handler. */
    enum Next {
        /** RUN again at once, as if the client had answered in the run page and called RUN. */
        CONTINUE,
        /** RUN returns to the client. */
        STOP
    }

    /**
     * Called with the run page filled, on the host CPU that ran the vCPU: it must be quick and must not block. Exits of
     * one vCPU come one at a time. After a STATUS exit RUN returns whatever the answer is.
     */
    Next onExit(GunyahVcpu vcpu, RunPage page);
}
