package gunyah.hyp.vcpu;

import gunyah.hyp.HypError;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.Schedulable;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The change of one vCPU's affinity while it is active (Gunyah affinity_changed): it is blocked until the physical CPU
 * that has it lets go. One move at a time.
 */
final class VcpuMove {
    private final Machine machine;
    private final VcpuThread thread;
    private final Blocks blocks;
    /** The physical CPU that a move under way takes it to, or {@link Schedulable#STAYS}. */
    private final AtomicInteger destination = new AtomicInteger(Schedulable.STAYS);

    VcpuMove(Machine machine, VcpuThread thread, Blocks blocks) {
        this.machine = machine;
        this.thread = thread;
        this.blocks = blocks;
    }

    /** As {@link Vcpu#setAffinityTo} of an active vCPU. */
    HypError to(int cpu, boolean pinned) {
        int pending = destination.get();
        if (cpu == (pending == Schedulable.STAYS ? thread.affinity() : pending)) {
            return HypError.OK;
        }
        if (pinned || thread.lends()) {
            return HypError.DENIED;
        }
        if (!destination.compareAndSet(Schedulable.STAYS, cpu)) {
            return HypError.RETRY;
        }
        // Before its CPU is looked up; pairs with PcpuActor.take, which claims it first and then looks at the blocks.
        blocks.block(Block.AFFINITY);
        Pcpu on = thread.runningOn();
        Pcpu holder = on != null ? on : machine.pcpu(thread.affinity());
        if (holder != null) {
            holder.move(thread, cpu);
        } else {
            thread.moved(cpu);
        }
        return HypError.OK;
    }

    /** The physical CPU let go of it. The block ends first: the next move sets it again. */
    void done() {
        blocks.unblock(Block.AFFINITY.bit());
        destination.set(Schedulable.STAYS);
    }
}
