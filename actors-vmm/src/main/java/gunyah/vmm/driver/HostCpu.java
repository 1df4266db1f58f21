package gunyah.vmm.driver;

import gunyah.hyp.VcpuWork;

/**
 * One CPU of the Java host: the proxy scheduler. Takes the next runnable vCPU and lends it the slice with vcpu_run until
 * it blocks, exits or the slice ends. Runs on the thread of its vCPU actor.
 */
final class HostCpu implements VcpuWork {
    private final HostKernel kernel;
    private final RunQueue queue;
    private volatile Context context;
    private Hvc hvc;
    private int index;

    HostCpu(HostKernel kernel, RunQueue queue) {
        this.kernel = kernel;
        this.queue = queue;
    }

    @Override
    public void boot(Context bootContext, long entry, long x0) {
        hvc = new Hvc(bootContext.port());
        index = bootContext.index();
        queue.add(this, index);
        context = bootContext;
        kernel.booted(bootContext, entry, x0);
    }

    @Override
    public Result run(Context current) {
        while (true) {
            GunyahVcpu vcpu = queue.take(index);
            if (vcpu == null) {
                return Result.IDLE;
            }
            if (vcpu.execute(this) || current.shouldYield()) {
                return Result.MORE;
            }
        }
    }

    /** Makes the CPU look at its queue again, or come out of the guest it runs. Any thread. */
    void kick() {
        context.wake();
    }

    int index() {
        return index;
    }

    Hvc hvc() {
        return hvc;
    }

    boolean shouldYield() {
        return context.shouldYield();
    }
}
