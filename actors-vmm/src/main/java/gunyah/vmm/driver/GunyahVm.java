package gunyah.vmm.driver;

import akka.actor.typed.ActorRef;
import gunyah.rm.rpc.ResourceType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/**
 * A VM as the driver's clients hold it (the VM file descriptor, v17 8 to 34/35). Thread safe. Its life cycle is the
 * {@link VmActor}'s; what the vCPU loop reads of it is published in volatile fields that only that actor writes.
 */
public final class GunyahVm {
    private static final int MAX_ACCESS = 8;

    /** Where the device tree is; size 0 before SET_DTB_CONFIG. */
    record Dtb(long gpa, long size) {
    }

    private final String name;
    private final GunyahDevice device;
    private final MemoryMap memory;
    private final ResourceTickets tickets = new ResourceTickets();
    private final IoHandlers ioHandlers = new IoHandlers();
    private final BootContext bootContext = new BootContext();
    private final List<VmFunction> functions = new ArrayList<>();
    private final Map<Integer, GunyahVcpu> vcpus = new HashMap<>();
    private final CompletableFuture<ExitInfo> exited = new CompletableFuture<>();
    private ActorRef<VmActor.Command> actor;
    private volatile Dtb dtb = new Dtb(-1, 0);
    private volatile VmStatus status = VmStatus.NO_STATE;
    private volatile boolean starting;
    private volatile ExitInfo exitInfo = ExitInfo.NONE;
    private volatile int vmid = VmActor.NO_VMID;

    GunyahVm(String name, GunyahDevice device) {
        this.name = name;
        this.device = device;
        this.memory = new MemoryMap(device::hvc, () -> vmid, device::platform);
        ticket(ResourceType.ADDRSPACE, 0, memory::attachAddrspace);
        for (MemoryMap.Extent extent : MemoryMap.Extent.values()) {
            ticket(ResourceType.MEMEXTENT, extent.ordinal(), cap -> memory.attachExtent(extent, cap));
        }
    }

    private void ticket(ResourceType type, int label, LongConsumer attach) {
        tickets.add(new ResourceTickets.Ticket() {
            @Override
            public int type() {
                return type.value();
            }

            @Override
            public int label() {
                return label;
            }

            @Override
            public boolean populate(Resource resource) {
                attach.accept(resource.cap());
                return true;
            }

            @Override
            public void unpopulate(Resource resource) {
                memory.detachResources();
            }
        });
    }

    void attach(ActorRef<VmActor.Command> lifecycle) {
        actor = lifecycle;
    }

    public String name() {
        return name;
    }

    /** {@return the VMID, 0xffff before START} */
    public int vmid() {
        return vmid;
    }

    public VmStatus status() {
        return status;
    }

    boolean isStarting() {
        return starting;
    }

    ExitInfo exitInfo() {
        return exitInfo;
    }

    MemoryMap memory() {
        return memory;
    }

    ResourceTickets tickets() {
        return tickets;
    }

    IoHandlers ioHandlers() {
        return ioHandlers;
    }

    /** {@return when and why the VM stopped running; fails when its driver failed} Completes on the VM actor's thread. */
    public CompletionStage<ExitInfo> exited() {
        return exited.minimalCompletionStage();
    }

    /** {@return pages that left the host for this VM so far} */
    public long pagesLent() {
        return memory.pagesLent();
    }

    /** {@return pages that came back so far} */
    public long pagesReturned() {
        return memory.pagesReturned();
    }

    /**
     * MAP_MEM: binds part of a memory file.
     *
     * @param flags access and ALLOW bits of {@link Uapi}
     * @throws GunyahError EINVAL, EEXIST
     */
    public void map(GuestMemoryFile file, long gpa, long size, long offset, int flags) {
        GunyahError.check(memory.map(file, gpa, size, offset, flags), "MAP_MEM 0x%x+0x%x".formatted(gpa, size));
    }

    /** MAP_MEM with the UNMAP flag: same arguments as the binding, or its head or tail. @throws GunyahError */
    public void unmap(GuestMemoryFile file, long gpa, long size, long offset, int flags) {
        GunyahError.check(memory.unmap(file, gpa, size, offset, flags), "unmap 0x%x+0x%x".formatted(gpa, size));
    }

    /**
     * Gives a started VM memory that is bound, before its vCPUs touch it. No call of the original; blocks.
     *
     * @throws GunyahError ENOMEM, EPERM while the host maps what is to be lent, ENODEV before START
     */
    public void populate(long gpa, long size) {
        GunyahError.check(memory.populate(gpa, size), "populate 0x%x+0x%x".formatted(gpa, size));
    }

    /** SET_DTB_CONFIG: where the device tree is; the size includes room for what RM adds. @throws GunyahError EOVERFLOW */
    public void setDtb(long gpa, long size) {
        if (Long.compareUnsigned(gpa + size, gpa) < 0) {
            throw new GunyahError(Errno.EOVERFLOW, "device tree at 0x%x+0x%x".formatted(gpa, size));
        }
        dtb = new Dtb(gpa, size);
    }

    Dtb dtb() {
        return dtb;
    }

    /**
     * SET_BOOT_CONTEXT: a register of the boot vCPU.
     *
     * @param register {@code set << 8 | index}
     * @throws GunyahError EINVAL for an unknown register or once START was called
     */
    public synchronized void setBootRegister(int register, long value) {
        if (status != VmStatus.NO_STATE || starting) {
            throw new GunyahError(Errno.EINVAL, "boot context of a VM that was started");
        }
        GunyahError.check(bootContext.set(register, value), "boot register 0x%x".formatted(register));
    }

    synchronized Map<Integer, Long> bootRegisters() {
        return bootContext.registers();
    }

    /** ADD_FUNCTION(VCPU). @throws GunyahError EEXIST */
    public GunyahVcpu addVcpu(int id) {
        GunyahVcpu vcpu = new GunyahVcpu(this, id, device.runQueue(), device.interrupts());
        GunyahError.check(tickets.add(vcpu.ticket()), "vCPU %d".formatted(id));
        synchronized (this) {
            functions.addFirst(vcpu);
            vcpus.put(id, vcpu);
        }
        return vcpu;
    }

    /** ADD_FUNCTION(IRQFD). @throws GunyahError EEXIST */
    public IrqFd addIrqFd(int label, boolean level) {
        IrqFd irqFd = new IrqFd(this, label, level, device::hvc);
        GunyahError.check(tickets.add(irqFd.ticket()), "interrupt line %d".formatted(label));
        synchronized (this) {
            functions.addFirst(irqFd);
        }
        return irqFd;
    }

    /**
     * ADD_FUNCTION(IOEVENTFD) for any value.
     *
     * @param action runs on the host CPU with the value stored; must not block
     * @throws GunyahError EINVAL, EEXIST
     */
    public IoEventFd addIoEventFd(long address, int length, LongConsumer action) {
        checkIoEvent(address, length);
        // Without datamatch the driver drops the length: any store at the address counts.
        return addIoEventFd(new IoHandlers.Handler(address, 0, false, 0, action));
    }

    /** ADD_FUNCTION(IOEVENTFD) with DATAMATCH: only stores of this value. @throws GunyahError EINVAL, EEXIST */
    public IoEventFd addIoEventFd(long address, int length, long data, LongConsumer action) {
        checkIoEvent(address, length);
        GunyahError.check(length == 0 ? Errno.EINVAL : Errno.OK, "ioeventfd with data but without length");
        return addIoEventFd(new IoHandlers.Handler(address, length, true, data, action));
    }

    private static void checkIoEvent(long address, int length) {
        boolean legal = length == 0 || length <= MAX_ACCESS && Integer.bitCount(length) == 1 && length > 0;
        if (!legal || Long.compareUnsigned(address + length, address) < 0) {
            throw new GunyahError(Errno.EINVAL, "ioeventfd at 0x%x of %d bytes".formatted(address, length));
        }
    }

    private IoEventFd addIoEventFd(IoHandlers.Handler handler) {
        GunyahError.check(ioHandlers.add(handler), "ioeventfd at 0x%x".formatted(handler.address()));
        IoEventFd event = new IoEventFd(ioHandlers, handler);
        synchronized (this) {
            functions.addFirst(event);
        }
        return event;
    }

    /** ADD_FUNCTION of a type that is not the driver's own. The end of the VM unbinds it, newest first. */
    public synchronized void addFunction(VmFunction function) {
        functions.addFirst(function);
    }

    /** REMOVE_FUNCTION of exactly this one. {@return when nothing of it is in use any more} @throws GunyahError ENOENT */
    public CompletionStage<Void> removeFunction(VmFunction function) {
        synchronized (this) {
            if (function instanceof GunyahVcpu vcpu) {
                vcpus.remove(vcpu.id(), vcpu);
            }
        }
        return remove(function, "function");
    }

    /** REMOVE_FUNCTION(VCPU). {@return when its last RUN has left} @throws GunyahError ENOENT */
    public CompletionStage<Void> removeVcpu(int id) {
        GunyahVcpu vcpu;
        synchronized (this) {
            vcpu = vcpus.remove(id);
        }
        return remove(vcpu, "vCPU %d".formatted(id));
    }

    /** REMOVE_FUNCTION(IRQFD): by label. @throws GunyahError ENOENT */
    public CompletionStage<Void> removeIrqFd(int label) {
        VmFunction found;
        synchronized (this) {
            found = functions.stream().filter(f -> f instanceof IrqFd irqFd && irqFd.label() == label).findFirst()
                    .orElse(null);
        }
        return remove(found, "interrupt line %d".formatted(label));
    }

    private CompletionStage<Void> remove(VmFunction function, String what) {
        synchronized (this) {
            if (function == null || !functions.remove(function)) {
                throw new GunyahError(Errno.ENOENT, what);
            }
        }
        return function.unbind();
    }

    /**
     * START. The stage fails with a {@link GunyahError}: ENODEV when the VM is past running, or what a step of the start
     * answered; a VM that failed to start can only be closed. Calling it for a running VM is no error.
     */
    public CompletionStage<Void> start() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        actor.tell(new VmActor.Start(done));
        return done;
    }

    /**
     * Closes the last handle: stops the VM, takes every page back, returns the VMID. {@return when all that is done; it
     * does not fail}
     */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        actor.tell(new VmActor.Close(done));
        return done;
    }

    /** Written by the VM actor. */
    void status(VmStatus next) {
        status = next;
    }

    /** Written by the VM actor; synchronized against setting boot registers. */
    synchronized void starting(boolean value) {
        starting = value;
    }

    /** Written by the VM actor. */
    void vmid(int assigned) {
        vmid = assigned;
    }

    /** The VM stopped; status before wake-up, so that a woken vCPU sees it. */
    void exited(ExitInfo info) {
        exitInfo = info;
        status = VmStatus.EXITED;
        wakeVcpus();
        exited.complete(info);
    }

    /** The driver failed on it: whoever waits for its end closes it. */
    void failed(String reason) {
        exited.completeExceptionally(new GunyahError(Errno.EIO, reason));
    }

    /** Lets every vCPU look at the status again. */
    synchronized void wakeVcpus() {
        vcpus.values().forEach(GunyahVcpu::wake);
    }

    /** {@return the functions, newest first, which the VM no longer has} */
    synchronized List<VmFunction> takeFunctions() {
        List<VmFunction> all = List.copyOf(functions);
        functions.clear();
        vcpus.clear();
        return all;
    }
}
