package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.rm.dt.GuestConfig;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestOverlay;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.vm.GuestObjects.Bell;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * START: writes the device tree, hands the image parcel over and powers the boot vCPUs on (vm_creation.c, section
 * {@code start}). A failure rolls the hand-over back, so that the owner can reclaim the parcel.
 */
final class GuestStart {
    private final Root root;
    private final Hypercalls hypercalls;
    private final MemParcels parcels;
    private final ParcelBorrowing borrowing;
    private final LongSupplier entropy;

    GuestStart(Root root, MemParcels parcels, ParcelBorrowing borrowing, LongSupplier entropy) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.parcels = parcels;
        this.borrowing = borrowing;
        this.entropy = entropy;
    }

    void start(Vm vm) {
        ConfigImage image = vm.image.orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        MemParcel parcel = imageParcel(vm, image.handle());
        long base = vm.imageLayout.map(layout -> layout.base()).orElse(vm.configured().baseAddress());
        if (vm.imageLayout.isPresent()) {
            if (vm.imageLayout.get().size() < parcel.size()) {
                throw new RmFault(RmError.NORESOURCE);
            }
            writeTree(vm, parcel, image, base);
            MemParcels.Handover handover =
                    parcels.handOver(parcel, vm.built().privateExtent(), vm.built().addrspace(), base);
            try {
                powerOn(vm, image, base);
            } catch (RmFault | HypFault failure) {
                handover.rollBack();
                throw failure;
            }
            handover.commit();
        } else {
            writeTree(vm, parcel, image, base);
            accept(vm, parcel, base);
            try {
                powerOn(vm, image, base);
            } catch (RmFault | HypFault failure) {
                borrowing.release(vm, parcel, 0);
                throw failure;
            }
        }
    }

    private MemParcel imageParcel(Vm vm, int handle) {
        try {
            MemParcel parcel = parcels.find(handle);
            int all = AclEntry.R | AclEntry.W | AclEntry.X;
            if (parcel.transfer() == ParcelTransfer.LEND && parcel.state() == MemParcel.State.SHARING
                    && parcel.acl().equals(List.of(new AclEntry(vm.vmid, all)))) {
                return parcel;
            }
        } catch (RmFault gone) {
            throw new RmFault(RmError.NORESOURCE);
        }
        throw new RmFault(RmError.NORESOURCE);
    }

    private void accept(Vm vm, MemParcel parcel, long base) {
        borrowing.accept(vm, parcel, new ParcelAccept(parcel.handle(), ParcelCreate.NORMAL,
                ParcelTransfer.LEND.ordinal(), ParcelAccept.CONTIGUOUS | ParcelAccept.DONE, 0, List.of(),
                List.of(new MemRange(base, parcel.size())), 0, List.of()));
    }

    // The parcel is out of everybody's reach now: what is parsed here is what the guest gets.
    private void writeTree(Vm vm, MemParcel parcel, ConfigImage image, long base) {
        Fdt tree = GuestTree.read(root, parcel, image);
        overlay(vm, tree, new MemRange(base, parcel.size()));
        GuestTree.write(root, parcel, image, tree);
    }

    private void overlay(Vm vm, Fdt tree, MemRange image) {
        GuestConfig config = vm.configured();
        GuestObjects objects = vm.built();
        List<MemRange> memory = new ArrayList<>(vm.demandPaged);
        memory.add(image);
        int phandle = config.gic().phandle();
        GuestOverlay overlay = new GuestOverlay(tree)
                .kaslrSeed(entropy.getAsLong())
                // The owner alone knows which of what it lends or shares on demand is meant as RAM.
                .memory(memory, vm.imageLayout.isPresent())
                .identity(vm.vmid, vm.ownerVmid, config)
                .gic(config.gic(), objects.vcpus().size());
        objects.rpc().ifPresent(rpc -> overlay.rpc(rpc.device(), rpc.queues(), phandle));
        for (Map.Entry<DoorbellDevice, Bell> bell : objects.doorbells().entrySet()) {
            overlay.doorbell(bell.getKey(), bell.getValue().cap(), bell.getValue().virq(), phandle);
        }
        if (!config.psci()) {
            objects.vcpus().forEach(v -> overlay.vcpu(config.vcpus().cpus().get(v.index()).path(), v.guestCap()));
        }
    }

    private void powerOn(Vm vm, ConfigImage image, long base) {
        List<GuestVcpu> boot = vm.built().vcpus().stream().filter(GuestVcpu::boot).toList();
        if (boot.isEmpty()) {
            throw new RmFault(RmError.NORESOURCE);
        }
        for (GuestVcpu vcpu : boot) {
            // Registers the owner set were written to the first boot vCPU; the others start as RM says.
            boolean primary = vcpu == boot.getFirst();
            boolean keepEntry = primary && vm.bootRegisters.contains(BootContext.SET_PC << 8);
            boolean keepContext = primary && vm.bootRegisters.contains(BootContext.SET_X << 8);
            hypercalls.powerOn(vcpu.cap(), base + image.imageOffset(), base + image.dtbOffset(),
                    (keepEntry ? Hypercalls.KEEP_ENTRY : 0) | (keepContext ? Hypercalls.KEEP_CONTEXT : 0));
        }
    }

    /** {@return the vCPU that boot registers are written to} */
    static Optional<GuestVcpu> primary(Vm vm) {
        return vm.built().vcpus().stream().filter(GuestVcpu::boot).findFirst();
    }
}
