package gunyah.rm.vm;

import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqLent;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Hardware interrupts and who has them (irq_manager.c): the primary VM at boot, at the line of the same number, and whom
 * it lends one to.
 */
public final class Interrupts {
    private enum Lending { NONE, OFFERED, ACCEPTED }

    private static final class Hardware {
        final long cap;
        final Vm owner;
        final int number;
        Lending lending = Lending.NONE;
        Optional<Vm> borrower = Optional.empty();
        int borrowerVirq;
        int label;

        Hardware(long cap, Vm owner, int number) {
            this.cap = cap;
            this.owner = owner;
            this.number = number;
        }
    }

    private final Hypercalls hypercalls;
    private final VmTable vms;
    private final Notices notices;
    private final int handleBase;
    private final Map<Integer, Hardware> interrupts = new TreeMap<>();

    /** @param seed random bits: handles cannot be guessed from the interrupt's number */
    public Interrupts(Root root, VmTable vms, Notices notices, long seed) {
        this.hypercalls = root.hypercalls();
        this.vms = vms;
        this.notices = notices;
        this.handleBase = (int) (seed & 0x3fff_ffff);
    }

    /**
     * Gives a hardware interrupt to the primary VM for good, at its line of the same number, which is set aside already.
     *
     * @param cap root VM's
     */
    public void give(Vm owner, int number, long cap) {
        hypercalls.bindHardware(cap, owner.vic, number);
        interrupts.put(handleBase + number, new Hardware(cap, owner, number));
    }

    /** VM_IRQ_LEND. */
    public Reply lend(Call<IrqLend> call) {
        IrqLend request = call.request();
        Hardware irq = interrupts.get(handleBase + request.virq());
        if (irq == null || irq.owner != call.caller()) {
            throw new RmFault(RmError.IRQ_INVALID);
        }
        Vm borrower = vms.find(request.borrower(), RmError.VMID_INVALID);
        if (borrower == irq.owner) {
            throw new RmFault(RmError.VMID_INVALID);
        }
        if (irq.lending != Lending.NONE) {
            throw new RmFault(RmError.IRQ_INUSE);
        }
        hypercalls.unbindHardware(irq.cap);
        irq.lending = Lending.OFFERED;
        irq.borrower = Optional.of(borrower);
        irq.label = request.label();
        return Reply.ofWord(handleBase + irq.number);
    }

    /** VM_IRQ_ACCEPT. */
    public Reply accept(Call<IrqAccept> call) {
        Hardware irq = borrowed(call.caller(), call.request().handle());
        if (irq.lending != Lending.OFFERED) {
            throw new RmFault(RmError.IN_USE);
        }
        Vm vm = call.caller();
        int wanted = call.request().virq() == IrqAccept.ANY ? irq.number : call.request().virq();
        int virq;
        try {
            virq = vm.virqs.take(wanted);
        } catch (RmFault taken) {
            throw new RmFault(call.request().virq() == IrqAccept.ANY ? RmError.DENIED : RmError.ARGUMENT_INVALID);
        }
        try {
            hypercalls.bindHardware(irq.cap, vm.vic, virq);
        } catch (RuntimeException refused) {
            vm.virqs.giveBack(virq);
            throw refused;
        }
        irq.borrowerVirq = virq;
        irq.lending = Lending.ACCEPTED;
        return Reply.ofWord(virq);
    }

    /** VM_IRQ_RELEASE. */
    public Reply release(Call<IrqHandle> call) {
        Hardware irq = borrowed(call.caller(), call.request().handle());
        if (irq.lending != Lending.ACCEPTED) {
            throw new RmFault(RmError.IN_USE);
        }
        takeAway(irq);
        return Reply.of(RmError.OK);
    }

    private void takeAway(Hardware irq) {
        hypercalls.unbindHardware(irq.cap);
        irq.borrower.ifPresent(vm -> vm.virqs.giveBack(irq.borrowerVirq));
        irq.lending = Lending.OFFERED;
    }

    /** VM_IRQ_RECLAIM. */
    public Reply reclaim(Call<IrqHandle> call) {
        Hardware irq = owned(call.caller(), call.request().handle());
        switch (irq.lending) {
            case NONE -> throw new RmFault(RmError.IRQ_INVALID);
            case ACCEPTED -> throw new RmFault(RmError.IN_USE);
            case OFFERED -> {
                hypercalls.bindHardware(irq.cap, irq.owner.vic, irq.number);
                irq.lending = Lending.NONE;
                irq.borrower = Optional.empty();
            }
        }
        return Reply.of(RmError.OK);
    }

    /** VM_IRQ_NOTIFY. */
    public Reply notify(Call<IrqNotify> call) {
        IrqNotify request = call.request();
        switch (request.flags()) {
            case IrqNotify.LENT -> lent(owned(call.caller(), request.handle()), request);
            case IrqNotify.RELEASED -> {
                Hardware irq = borrowed(call.caller(), request.handle());
                require(irq.lending == Lending.OFFERED, RmError.IRQ_INUSE);
                notices.tell(irq.owner.vmid, MessageId.VM_IRQ_RELEASED, new IrqHandle(request.handle()), true);
            }
            case IrqNotify.ACCEPTED -> {
                Hardware irq = borrowed(call.caller(), request.handle());
                require(irq.lending == Lending.ACCEPTED, RmError.IRQ_RELEASED);
                notices.tell(irq.owner.vmid, MessageId.VM_IRQ_ACCEPTED, new IrqHandle(request.handle()), true);
            }
            default -> throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        return Reply.of(RmError.OK);
    }

    private void lent(Hardware irq, IrqNotify request) {
        require(irq.lending == Lending.OFFERED, irq.lending == Lending.NONE ? RmError.IRQ_RELEASED : RmError.IRQ_INUSE);
        Vm borrower = irq.borrower.orElseThrow(() -> new RmFault(RmError.IRQ_RELEASED));
        require(request.vmids().size() <= 1 && request.vmids().stream().allMatch(vmid -> vmid == borrower.vmid),
                RmError.ARGUMENT_INVALID);
        notices.tell(borrower.vmid, MessageId.VM_IRQ_LENT,
                new IrqLent(irq.owner.vmid, request.handle(), irq.label), true);
    }

    /** Takes one borrowed interrupt away from a VM that is reset. {@return whether it had one} */
    boolean releaseOne(Vm vm) {
        Optional<Hardware> next = interrupts.values().stream()
                .filter(irq -> irq.borrower.filter(borrower -> borrower == vm).isPresent()).findFirst();
        next.ifPresent(irq -> {
            if (irq.lending == Lending.ACCEPTED) {
                takeAway(irq);
                notices.tell(irq.owner.vmid, MessageId.VM_IRQ_RELEASED, new IrqHandle(handleBase + irq.number), true);
            }
            irq.borrower = Optional.empty();
        });
        return next.isPresent();
    }

    private Hardware owned(Vm caller, int handle) {
        Hardware irq = interrupts.get(handle);
        require(irq != null && irq.owner == caller, RmError.HANDLE_INVALID);
        return irq;
    }

    private Hardware borrowed(Vm caller, int handle) {
        Hardware irq = interrupts.get(handle);
        require(irq != null && irq.borrower.filter(vm -> vm == caller).isPresent(), RmError.HANDLE_INVALID);
        return irq;
    }

    private static void require(boolean legal, RmError error) {
        if (!legal) {
            throw new RmFault(error);
        }
    }
}
