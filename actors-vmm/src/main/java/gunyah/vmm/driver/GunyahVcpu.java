package gunyah.vmm.driver;

import gunyah.hyp.HypError;
import gunyah.rm.rpc.ResourceType;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A proxy scheduled vCPU (v17 15, 28 and 33/35): the RUN loop around the vcpu_run hypercall. RUN is asked for from any
 * thread and carried out by host CPUs; between two exits a vCPU may change its host CPU.
 *
 * <p>{@code sched} says who may touch the rest: QUEUED and SLEEPING nobody, RUNNING and WOKEN the host CPU that executes
 * it, IDLE the next caller of RUN. Its atomic changes order the accesses. WOKEN remembers a wake-up that came while the
 * vCPU ran, so that one just before the sleep is not lost.
 */
public final class GunyahVcpu implements VmFunction {
    private static final Logger LOG = LoggerFactory.getLogger(GunyahVcpu.class);

    private static final int IDLE = 0;
    private static final int QUEUED = 1;
    private static final int RUNNING = 2;
    private static final int WOKEN = 3;
    private static final int SLEEPING = 4;

    private static final int STATE_READY = 0;
    private static final int STATE_EXPECTS_WAKEUP = 1;
    private static final int STATE_POWERED_OFF = 2;
    private static final int STATE_BLOCKED = 3;
    private static final int STATE_VMMIO_READ = 4;
    private static final int STATE_VMMIO_WRITE = 5;
    private static final int STATE_FAULT = 6;
    private static final int STATE_PAGE_FAULT = 7;
    private static final int STATE_SYSTEM_RESET = 0x100;

    private static final long ACTION_EMULATE = 0;
    private static final long ACTION_RETRY = 1;
    private static final long ACTION_FAULT = 2;

    private static final long NO_CAP = -1;
    private static final int MAX_ACCESS = 8;

    /** What the next RUN has to do first. */
    private enum Phase {
        UNKNOWN, READY, MMIO_READ, MMIO_WRITE, PAGE_FAULT, SYSTEM_DOWN
    }

    /** What the loop does after a step. */
    private enum Step {
        LOOP, SLEEP, REQUEUE, LEFT
    }

    private final GunyahVm vm;
    private final int id;
    private final RunQueue queue;
    private final InterruptTable interrupts;
    private final RunPage page = new RunPage();
    private final AtomicInteger sched = new AtomicInteger(IDLE);
    private final Semaphore runLock = new Semaphore(1, true);
    private final CompletableFuture<Void> detached = new CompletableFuture<>();
    private final Runnable wakeHandler = this::wake;
    private final Ticket ticket = new Ticket();
    private volatile long cap = NO_CAP;
    private volatile boolean removed;
    private volatile int lastCpu;
    private volatile HostCpu runningOn;

    private ExitHandler handler;
    private CompletableFuture<Void> outcome;
    private boolean entering;
    private boolean slept;
    private Phase phase = Phase.UNKNOWN;
    private long mmioAddress;
    private int mmioLength;
    private long resume1;
    private long resume2;
    private long mmioExits;

    GunyahVcpu(GunyahVm vm, int id, RunQueue queue, InterruptTable interrupts) {
        this.vm = vm;
        this.id = id;
        this.queue = queue;
        this.interrupts = interrupts;
    }

    private final class Ticket implements ResourceTickets.Ticket {
        @Override
        public int type() {
            return ResourceType.VCPU.value();
        }

        @Override
        public int label() {
            return id;
        }

        @Override
        public boolean populate(Resource resource) {
            if (cap != NO_CAP) {
                LOG.warn("{}: a second resource for vCPU {}", vm.name(), id);
                return false;
            }
            if (resource.intid() == 0 || !interrupts.request(resource.intid(), wakeHandler)) {
                LOG.warn("{}: vCPU {} has no usable wake-up interrupt", vm.name(), id);
                return false;
            }
            cap = resource.cap();
            return true;
        }

        @Override
        public void unpopulate(Resource resource) {
            interrupts.free(resource.intid(), wakeHandler);
            cap = NO_CAP;
        }
    }

    ResourceTickets.Ticket ticket() {
        return ticket;
    }

    public int id() {
        return id;
    }

    /** {@return the page shared with the client} */
    public RunPage page() {
        return page;
    }

    /** {@return exits to the client for MMIO so far} Approximate while the vCPU runs. */
    public long mmioExits() {
        return mmioExits;
    }

    /**
     * RUN until an exit. Concurrent callers take turns.
     *
     * @throws GunyahError EINTR (immediate exit, or the thread was interrupted, which stays set), ENODEV, EINVAL for an
     *     illegal resume action, else what vcpu_run answered
     */
    public void run() {
        try {
            runLock.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GunyahError(Errno.EINTR, "interrupted while another thread ran the vCPU");
        }
        try {
            await(begin((vcpu, exitPage) -> ExitHandler.Next.STOP));
        } finally {
            runLock.release();
        }
    }

    /** An exit wins over the interruption that came with it: it is delivered, and the flag stays set. */
    private void await(CompletableFuture<Void> run) {
        boolean interrupted = false;
        while (true) {
            try {
                run.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                page.immediateExit(true);
                kick();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof GunyahError error) {
                    throw error;
                }
                throw new IllegalStateException("the host CPU failed", e.getCause());
            } catch (CancellationException e) {
                throw new GunyahError(Errno.ENODEV, "the run was cancelled");
            } finally {
                if (interrupted && run.isDone()) {
                    page.immediateExit(false);
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    /**
     * RUN without a thread of one's own: every exit goes to the handler, on the host CPU, until it says STOP. The stage
     * completes then, or fails with a {@link GunyahError} as {@link #run}; EBUSY when a RUN is in progress.
     */
    public CompletionStage<Void> run(ExitHandler exits) {
        if (!runLock.tryAcquire()) {
            return CompletableFuture.failedFuture(new GunyahError(Errno.EBUSY, "the vCPU is being run"));
        }
        return begin(exits).whenComplete((ok, failure) -> runLock.release());
    }

    private CompletableFuture<Void> begin(ExitHandler exits) {
        if (removed) {
            return CompletableFuture.failedFuture(new GunyahError(Errno.ENODEV, "the vCPU was removed"));
        }
        CompletableFuture<Void> result = new CompletableFuture<>();
        handler = exits;
        outcome = result;
        entering = true;
        sched.set(QUEUED);
        queue.add(this, lastCpu);
        return result;
    }

    /**
     * Wakes a sleeping vCPU: its wake-up interrupt, the end of its VM, a kick. Any thread, never blocks, never lost.
     */
    void wake() {
        while (true) {
            int state = sched.get();
            if (state == RUNNING) {
                if (sched.compareAndSet(RUNNING, WOKEN)) {
                    return;
                }
            } else if (state == SLEEPING) {
                if (sched.compareAndSet(SLEEPING, QUEUED)) {
                    queue.add(this, lastCpu);
                    return;
                }
            } else {
                return;
            }
        }
    }

    /** Brings the vCPU out of the guest or out of its sleep, to look at its page and its VM again. */
    void kick() {
        wake();
        HostCpu cpu = runningOn;
        if (cpu != null) {
            cpu.kick();
        }
    }

    /**
     * Lends the host CPU to the vCPU. Called by the host CPU that took it from the queue.
     *
     * @return whether the CPU should be given away before the next vCPU
     */
    boolean execute(HostCpu cpu) {
        lastCpu = cpu.index();
        runningOn = cpu;
        sched.set(RUNNING);
        try {
            while (true) {
                Step step = step(cpu);
                if (step == Step.LEFT) {
                    return false;
                }
                if (step == Step.REQUEUE) {
                    runningOn = null;
                    sched.set(QUEUED);
                    queue.add(this, lastCpu);
                    return true;
                }
                if (step == Step.SLEEP) {
                    slept = true;
                    runningOn = null;
                    if (sched.compareAndSet(RUNNING, SLEEPING)) {
                        return false;
                    }
                    runningOn = cpu;
                }
            }
        } catch (RuntimeException | StackOverflowError | AssertionError e) {
            LOG.error("{}: vCPU {} failed", vm.name(), id, e);
            finish(e);
            return false;
        }
    }

    private Step step(HostCpu cpu) {
        // From here on a wake-up leaves WOKEN behind; the cause of an earlier one is seen by the checks below or by the
        // hypercall.
        sched.set(RUNNING);
        if (entering) {
            if (cap == NO_CAP) {
                return leave(Errno.ENODEV, "the VM is not started");
            }
            if (phase == Phase.UNKNOWN && vm.isStarting()) {
                return Step.SLEEP;
            }
            entering = false;
            Step entered = enter();
            if (entered != Step.LOOP) {
                return entered;
            }
        }
        if (slept) {
            slept = false;
            if (vm.status() != VmStatus.RUNNING) {
                return systemDown();
            }
        }
        if (page.wantsImmediateExit()) {
            return leave(Errno.EINTR, "immediate exit");
        }
        Hvc hvc = cpu.hvc();
        long error = hvc.vcpuRun(cap, resume1, resume2, 0);
        if (error != HypError.OK.code()) {
            return error == HypError.RETRY.code() ? Step.REQUEUE : leave(Errno.ofHypercall(error), "vcpu_run");
        }
        resume1 = 0;
        resume2 = 0;
        return returned(cpu, hvc.x);
    }

    /** Answers what the last exit left open. */
    private Step enter() {
        switch (phase) {
            case UNKNOWN -> {
                if (vm.status() != VmStatus.RUNNING) {
                    return systemDown();
                }
            }
            case MMIO_READ, MMIO_WRITE -> {
                Errno errno = resumeMmio();
                if (errno != Errno.OK) {
                    return leave(errno, "resume action %d".formatted(page.mmioResume()));
                }
            }
            case PAGE_FAULT -> resume1 = page.faultResume() == Uapi.RESUME_FAULT ? ACTION_FAULT : ACTION_EMULATE;
            case SYSTEM_DOWN -> {
                return leave(Errno.OK, "");
            }
            case READY -> { }
        }
        phase = Phase.READY;
        return Step.LOOP;
    }

    private Errno resumeMmio() {
        switch (page.mmioResume()) {
            case Uapi.RESUME_HANDLED -> {
                resume1 = phase == Phase.MMIO_READ ? truncated(page.mmioData(), mmioLength) : 0;
                resume2 = ACTION_EMULATE;
            }
            case Uapi.RESUME_FAULT -> resume2 = ACTION_FAULT;
            case Uapi.RESUME_RETRY -> {
                vm.memory().fault(mmioAddress, phase == Phase.MMIO_WRITE);
                resume2 = ACTION_RETRY;
            }
            default -> {
                return Errno.EINVAL;
            }
        }
        return Errno.OK;
    }

    private static long truncated(long value, int bytes) {
        return bytes >= MAX_ACCESS ? value : value & (1L << bytes * 8) - 1;
    }

    private Step returned(HostCpu cpu, long[] x) {
        long state = x[1];
        if (state == STATE_READY) {
            return queue.hasRunnable() || cpu.shouldYield() ? Step.REQUEUE : Step.LOOP;
        }
        if (state == STATE_VMMIO_READ) {
            return mmioRead(x[2], accessSize(x[3]));
        }
        if (state == STATE_VMMIO_WRITE) {
            return mmioWrite(x[2], accessSize(x[3]), x[4]);
        }
        if (state == STATE_PAGE_FAULT) {
            return pageFault(x[2], x[3]);
        }
        if (state == STATE_BLOCKED) {
            return Step.REQUEUE;
        }
        if (state == STATE_EXPECTS_WAKEUP || state == STATE_POWERED_OFF || state == STATE_FAULT
                || state == STATE_SYSTEM_RESET) {
            // The last two end only with the VM: asleep until VM_EXITED, where the reference would spin.
            return vm.status() == VmStatus.RUNNING ? Step.SLEEP : systemDown();
        }
        LOG.warn("{}: vCPU {} in unknown state 0x{}", vm.name(), id, Long.toHexString(state));
        return Step.REQUEUE;
    }

    private int accessSize(long size) {
        if (size < 1 || size > MAX_ACCESS) {
            LOG.warn("{}: MMIO access of {} bytes", vm.name(), size);
            return MAX_ACCESS;
        }
        return (int) size;
    }

    private Step mmioRead(long address, int size) {
        if (demandPaged(vm.memory().fault(address, false))) {
            return Step.LOOP;
        }
        phase = Phase.MMIO_READ;
        page.mmioExit(address, size, false, 0);
        return mmioExit(address, size);
    }

    private Step mmioWrite(long address, int size, long register) {
        long value = truncated(register, size);
        if (demandPaged(vm.memory().fault(address, true)) || vm.ioHandlers().write(address, size, value)) {
            return Step.LOOP;
        }
        phase = Phase.MMIO_WRITE;
        page.mmioExit(address, size, true, value);
        return mmioExit(address, size);
    }

    /** Whether the access was to memory; then the instruction must run again. */
    private boolean demandPaged(Errno errno) {
        if (errno == Errno.OK || errno == Errno.EAGAIN) {
            resume2 = ACTION_RETRY;
            return true;
        }
        return false;
    }

    private Step mmioExit(long address, int size) {
        mmioAddress = address;
        mmioLength = size;
        mmioExits++;
        return exit();
    }

    private Step pageFault(long address, long access) {
        Errno errno = vm.memory().fault(address, access == 1);
        if (errno == Errno.OK || errno == Errno.EAGAIN) {
            return Step.LOOP;
        }
        phase = Phase.PAGE_FAULT;
        page.pageFaultExit(address, errno);
        return exit();
    }

    private Step systemDown() {
        phase = Phase.SYSTEM_DOWN;
        page.statusExit(switch (vm.status()) {
            case INIT_FAILED -> Uapi.VM_STATUS_LOAD_FAILED;
            case EXITED -> Uapi.VM_STATUS_EXITED;
            default -> Uapi.VM_STATUS_CRASHED;
        }, vm.exitInfo());
        handler.onExit(this, page);
        return leave(Errno.OK, "");
    }

    private Step exit() {
        entering = true;
        return handler.onExit(this, page) == ExitHandler.Next.CONTINUE ? Step.LOOP : leave(Errno.OK, "");
    }

    private Step leave(Errno errno, String what) {
        finish(errno == Errno.OK ? null : new GunyahError(errno, what));
        return Step.LEFT;
    }

    /** After IDLE the next RUN may begin on another thread: nothing of this one may be touched any more. */
    private void finish(Throwable failure) {
        CompletableFuture<Void> result = outcome;
        runningOn = null;
        slept = false;
        sched.set(IDLE);
        if (removed) {
            detached.complete(null);
        }
        if (failure == null) {
            result.complete(null);
        } else {
            result.completeExceptionally(failure);
        }
    }

    /** Ends all running for good. {@return when the last RUN has left} */
    @Override
    public CompletionStage<Void> unbind() {
        removed = true;
        page.immediateExit(true);
        kick();
        if (sched.get() == IDLE) {
            detached.complete(null);
        }
        return detached.thenRun(() -> vm.tickets().remove(ticket));
    }
}
