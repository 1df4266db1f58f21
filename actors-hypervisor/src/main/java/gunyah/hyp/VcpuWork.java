package gunyah.hyp;

/**
 * What a vCPU executes when it does not execute A64 code: a piece of a Java operating system (the host's proxy
 * scheduler). It gets slices from the physical CPU like every vCPU, on the vCPU actor's own thread.
 */
public interface VcpuWork {
    /** How a slice ended. */
    enum Result {
        /** Nothing to do: block as in WFI until {@link Context#wake} or an interrupt of the VM. */
        IDLE,
        /** More to do; the attention word asked for the CPU or the work yields. */
        MORE
    }

    /** What the work sees of its vCPU. The port's vcpu_run and yield calls count as made by this vCPU. */
    interface Context {
        /** Calls made on the vCPU's thread with the vCPU as caller. */
        HypercallPort port();

        /** {@return whether the slice must be given back soon} To be polled between units of work. */
        boolean shouldYield();

        /** Makes an idle vCPU runnable. Any thread. Never lost. */
        void wake();

        /** {@return index of the vCPU in its VM, 0..} */
        int index();
    }

    /** Called once before the first slice, with the boot registers: entry address and X0. */
    void boot(Context context, long entry, long x0);

    /** Runs until there is nothing to do or {@link Context#shouldYield}. */
    Result run(Context context);
}
