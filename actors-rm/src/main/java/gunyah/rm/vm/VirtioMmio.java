package gunyah.rm.vm;

import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.memparcel.IpaSpace;
import gunyah.rm.memparcel.ParcelVm.ParcelSpace;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;

/**
 * A virtio device of a guest (the frontend) that its owner is (the backend): a register page that both have mapped, the
 * hypervisor's object behind it, and a line each way (vm_config.c, {@code add_virtio_mmio}).
 */
final class VirtioMmio {
    /** Where a VM that has its memory at IPA = physical address gets register pages. */
    private static final long WINDOW = 0x3000_0000L;
    private static final long WINDOW_END = 0x4000_0000L;

    /** The guest's node. */
    final VirtioDevice node;
    final Vm frontend;
    final Vm backend;
    /** Of the register page in the guest. */
    final long frontendIpa;
    /** INTID in the guest: the device wants it. */
    final int frontendVirq;
    private final long backendIpa;
    private final long backendCap;
    private final int backendVirq;
    private final Ledger undo;

    /**
     * Makes a device; what is made before a refusal is unmade.
     *
     * @param pages the root VM's own memory that is free
     */
    VirtioMmio(Root root, IpaSpace pages, VirtioDevice node, Vm frontend, Vm backend) {
        this.node = node;
        this.frontend = frontend;
        this.backend = backend;
        this.undo = new Ledger(root.hypercalls());
        Hypercalls hypercalls = root.hypercalls();
        try {
            long page = registerPage(root, pages);
            long device = undo.create(Stage.VDEVICES, ObjectType.VIRTIO_MMIO);
            hypercalls.configureVirtio(device, page, node.queues(), node.deviceType());
            hypercalls.activate(device);
            frontendIpa = map(hypercalls, frontend, page, node.base().orElse(-1L), Hypercalls.MAP_REGISTERS_R);
            backendIpa = map(hypercalls, backend, page, -1, Hypercalls.MAP_REGISTERS_RW);
            frontendVirq = undo.take(Stage.VDEVICES, frontend.virqs, node.virq());
            hypercalls.bindVirtioBackend(device, frontend.vic, frontendVirq);
            undo.add(Stage.VDEVICES, () -> hypercalls.unbindVirtioBackend(device));
            backendVirq = undo.take(Stage.VDEVICES, backend.virqs);
            hypercalls.bindVirtioFrontend(device, backend.vic, backendVirq);
            undo.add(Stage.VDEVICES, () -> hypercalls.unbindVirtioFrontend(device));
            backendCap = undo.copy(Stage.VDEVICES, device, backend.cspace,
                    Rights.VIRTIO_MMIO_CONFIG | Rights.VIRTIO_MMIO_ASSERT_VIRQ);
        } catch (RuntimeException refused) {
            remove();
            throw refused;
        }
    }

    // Whoever had the page before left nothing in it.
    private long registerPage(Root root, IpaSpace pages) {
        long at = pages.takeFirst(PhysRange.PAGE, PhysRange.PAGE);
        undo.add(Stage.VDEVICES, () -> pages.giveBack(at, PhysRange.PAGE));
        root.port().write(root.env().rmBase() + at, new byte[PhysRange.PAGE], 0, PhysRange.PAGE);
        long page = undo.create(Stage.VDEVICES, ObjectType.MEMEXTENT);
        root.hypercalls().deriveRegisters(page, root.env().memextentCap(), root.env().rmBase() + at);
        root.hypercalls().activate(page);
        return page;
    }

    private long map(Hypercalls hypercalls, Vm vm, long page, long fixed, int attributes) {
        ParcelSpace space = vm.parcelSpace().orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        long ipa = place(space, fixed);
        undo.add(Stage.VDEVICES, () -> space.free().giveBack(ipa, PhysRange.PAGE));
        hypercalls.mapRegisters(space.addrspace(), page, ipa, attributes);
        undo.add(Stage.VDEVICES, () -> hypercalls.unmapRegisters(space.addrspace(), page, ipa));
        return ipa;
    }

    private static long place(ParcelSpace space, long fixed) {
        if (fixed >= 0) {
            space.free().take(fixed, PhysRange.PAGE);
            return fixed;
        }
        return space.direct() ? space.free().takeFirst(WINDOW, WINDOW_END, PhysRange.PAGE, PhysRange.PAGE)
                : space.free().takeFirst(PhysRange.PAGE, PhysRange.PAGE);
    }

    /** {@return what the backend is told} */
    HypResource resource() {
        return new HypResource(ResourceType.VIRTIO_MMIO.value(), frontend.vmid, 0, node.label(), backendCap, 0,
                backendVirq, backendIpa, PhysRange.PAGE);
    }

    /** Takes the device away from both. */
    void remove() {
        undo.undoAll(Stage.VDEVICES);
    }
}
