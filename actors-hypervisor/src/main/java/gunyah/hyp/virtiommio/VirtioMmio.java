package gunyah.hyp.virtiommio;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import gunyah.hyp.Caller;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import gunyah.hyp.addrspace.DevicePages;
import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.memextent.MemExtent;
import gunyah.memory.PhysicalMemory;
import java.util.function.Function;

/**
 * A virtio device between two VMs (Gunyah hyp/vm/virtio_mmio). The registers live in {@link VirtioMmioActor}; these
 * methods make one call each, on any thread that is not an object actor's.
 */
public final class VirtioMmio extends KernelObject {
    /** Most virtqueues of a device. */
    public static final int MAX_QUEUES = 16;

    private static final long TYPE_VALID = 1 << 6;

    private final ActorSystem<?> system;
    private final PhysicalMemory memory;
    private final DevicePages pages;
    private final VirtioMmioActor.Lines lines = new VirtioMmioActor.Lines();
    private final MmioDevice frontend = new Frontend(this);
    private MemExtent extent;
    private int queues;
    private DeviceType type = DeviceType.UNKNOWN;
    private volatile ActorRef<VirtioMmioActor.Command> actor;

    /** Makes a device in INIT; its actor starts at activation. */
    public VirtioMmio(int id, ActorSystem<?> system, PhysicalMemory memory, DevicePages pages) {
        super(ObjectType.VIRTIO_MMIO, id);
        this.system = system;
        this.memory = memory;
        this.pages = pages;
    }

    /** The frontend's stores. Its vCPU holds no reference to the device, only to the page. */
    private record Frontend(VirtioMmio device) implements MmioDevice {
        @Override
        public long read(int vcpuIndex, long offset, int sizeBytes) {
            throw new IllegalStateException("a register page is read as memory");
        }

        @Override
        public boolean write(int vcpuIndex, long offset, int sizeBytes, long value) {
            if (device.state() != State.ACTIVE || !device.retain()) {
                return false;
            }
            try {
                return device.ask(slot -> new VirtioMmioActor.Store((int) offset, sizeBytes, value, slot))
                        == HypError.OK;
            } finally {
                device.release();
            }
        }
    }

    /**
     * virtio_mmio_configure, in INIT.
     *
     * @param page a BASIC extent of one page; a reference is held until another takes its place or the device goes
     */
    synchronized HypError configure(MemExtent page, long queueCount, long flags, int deviceType) {
        DeviceType newType = (flags & TYPE_VALID) == 0 ? DeviceType.UNKNOWN : DeviceType.of(deviceType);
        if (state() != State.INIT) {
            return HypError.OBJECT_STATE;
        }
        if (!page.isBasic() || page.size() != PhysicalMemory.PAGE_SIZE || queueCount > MAX_QUEUES || newType == null) {
            return HypError.ARGUMENT_INVALID;
        }
        page.retain();
        MemExtent before = extent;
        extent = page;
        queues = (int) queueCount;
        type = newType;
        if (before != null) {
            before.release();
        }
        return HypError.OK;
    }

    @Override
    protected HypError onActivate() {
        if (extent == null) {
            return HypError.OBJECT_CONFIG;
        }
        HypError attached = extent.attach();
        if (attached != HypError.OK) {
            return attached;
        }
        if (!pages.attach(extent.base(), frontend)) {
            extent.detach();
            return HypError.BUSY;
        }
        RegisterPage page = new RegisterPage(memory, extent.base());
        actor = system.systemActorOf(VirtioMmioActor.create(page, queues, type, lines, this::broke),
                "virtio-mmio-" + id(), Dispatchers.hypercall());
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        unbind(lines.toFrontend);
        unbind(lines.toBackend);
        if (actor != null) {
            pages.detach(extent.base(), frontend);
            extent.detach();
            actor.tell(VirtioMmioActor.stop());
        }
        if (extent != null) {
            extent.release();
        }
    }

    @Override
    protected void describe(StateText text) {
        text.put("page", extent).put("queues", queues).put("type", type.name());
        text.put("to_frontend", lines.toFrontend).put("to_backend", lines.toBackend);
        if (state() == State.ACTIVE) {
            ask(slot -> new VirtioMmioActor.Describe(text, slot));
        }
    }

    @Override
    public boolean interrupts(VirqController controller) {
        return lines.toFrontend.boundController() == controller || lines.toBackend.boundController() == controller;
    }

    /** The line that the backend asserts, into the frontend's controller. */
    VirqSource lineToFrontend() {
        return lines.toFrontend;
    }

    /** The line that the frontend's stores assert, into the backend's controller. */
    VirqSource lineToBackend() {
        return lines.toBackend;
    }

    /** Idempotent. */
    static HypError unbind(VirqSource line) {
        VirqController vic = line.boundController();
        if (vic != null) {
            vic.unbind(line);
        }
        return HypError.OK;
    }

    HypError assertVirq(int interruptStatus) {
        return ask(slot -> new VirtioMmioActor.AssertVirq(interruptStatus, slot));
    }

    HypError deviceFeatures(long select, int features) {
        return ask(slot -> new VirtioMmioActor.DeviceFeatures(select, features, slot));
    }

    HypError queueMax(long select, int max) {
        return ask(slot -> new VirtioMmioActor.QueueMax(select, max, slot));
    }

    /** {@code x[1]} receives 32 of the driver's features. */
    HypError driverFeatures(long select, long[] x) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new VirtioMmioActor.DriverFeatures(select, slot));
        HypError error = slot.await();
        x[1] = slot.first();
        return error;
    }

    /** {@code x[1..5]} receive size, ready, and the addresses of descriptors, driver area and device area. */
    HypError queueInfo(long select, long[] x) {
        return ask(slot -> new VirtioMmioActor.QueueInfo(select, x, slot));
    }

    /** {@code x[1..2]} receive the queues notified and the reasons of the interrupt, both from then on none. */
    HypError notification(long[] x) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(new VirtioMmioActor.TakeNotification(slot));
        HypError error = slot.await();
        x[1] = slot.first();
        x[2] = slot.second();
        return error;
    }

    HypError acknowledgeReset() {
        return ask(VirtioMmioActor.AcknowledgeReset::new);
    }

    HypError updateStatus(int bits) {
        return ask(slot -> new VirtioMmioActor.UpdateStatus(bits, slot));
    }

    HypError configureInput(long deviceIds, int propertyBits, long eventTypes, long axes) {
        return ask(slot -> new VirtioMmioActor.ConfigureInput(deviceIds, propertyBits, eventTypes, axes, slot));
    }

    HypError inputData(Caller caller, int select, int subselect, long size, long va) {
        return ask(slot -> new VirtioMmioActor.InputData(caller, select, subselect, size, va, slot));
    }

    private HypError ask(Function<ReplySlot, VirtioMmioActor.Command> call) {
        ReplySlot slot = ReplySlot.arm();
        actor.tell(call.apply(slot));
        return slot.await();
    }
}
