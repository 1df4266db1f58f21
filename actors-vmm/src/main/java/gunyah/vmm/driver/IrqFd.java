package gunyah.vmm.driver;

import gunyah.hyp.HypError;
import gunyah.rm.rpc.ResourceType;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An interrupt line into a guest: each {@link #signal} rings the guest's doorbell of that label (v17 32/35). Thread safe.
 */
public final class IrqFd implements VmFunction {
    private static final Logger LOG = LoggerFactory.getLogger(IrqFd.class);
    private static final long NO_CAP = -1;

    private final GunyahVm vm;
    private final int label;
    private final boolean level;
    private final Supplier<Hvc> hvc;
    private final Ticket ticket = new Ticket();
    private volatile long cap = NO_CAP;
    private volatile Runnable unbound = () -> { };

    IrqFd(GunyahVm vm, int label, boolean level, Supplier<Hvc> hvc) {
        this.vm = vm;
        this.label = label;
        this.level = level;
        this.hvc = hvc;
    }

    private final class Ticket implements ResourceTickets.Ticket {
        @Override
        public int type() {
            return ResourceType.DOORBELL_SOURCE.value();
        }

        @Override
        public int label() {
            return label;
        }

        @Override
        public boolean populate(Resource resource) {
            if (cap != NO_CAP) {
                LOG.warn("{}: a second doorbell for interrupt line {}", vm.name(), label);
                return false;
            }
            // A level line clears its flag when the interrupt is asserted, so that the next event asserts it again.
            if (level) {
                long error = hvc.get().bellSetMask(resource.cap(), 1, 1);
                if (error != HypError.OK.code()) {
                    LOG.warn("{}: interrupt line {} may repeat itself: set_mask answered {}", vm.name(), label,
                            HypError.of(error));
                }
            }
            cap = resource.cap();
            return true;
        }

        @Override
        public void unpopulate(Resource resource) {
            cap = NO_CAP;
        }
    }

    ResourceTickets.Ticket ticket() {
        return ticket;
    }

    public int label() {
        return label;
    }

    /** Asserts the line once. Before the VM started and after its end an event is dropped. */
    public void signal() {
        long bell = cap;
        if (bell == NO_CAP) {
            LOG.debug("{}: premature event on interrupt line {}", vm.name(), label);
            return;
        }
        long error = hvc.get().bellSend(bell, 1);
        if (error != HypError.OK.code()) {
            LOG.debug("{}: interrupt line {}: {}", vm.name(), label, HypError.of(error));
        }
    }

    /** Registers what detaches the source of the events, once, when the line is unbound. */
    public void whenUnbound(Runnable detach) {
        unbound = detach;
    }

    @Override
    public CompletionStage<Void> unbind() {
        unbound.run();
        vm.tickets().remove(ticket);
        return CompletableFuture.completedFuture(null);
    }
}
