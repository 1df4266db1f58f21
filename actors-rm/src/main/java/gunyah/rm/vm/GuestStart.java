package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.rm.dt.GuestConfig;
import gunyah.rm.dt.GuestOverlay;
import gunyah.rm.memparcel.Handover;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.memparcel.ParcelServices;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * START: accepts the VM's parcels, puts its firmware in place, writes the device tree, hands the image parcel over and
 * powers the boot vCPUs on (vm_creation.c, section {@code start}). A failure rolls everything back, so that the owner can
 * reclaim its parcels.
 */
public final class GuestStart {
    private final Root root;
    private final Hypercalls hypercalls;
    private final MemParcels parcels;
    private final ParcelBorrowing borrowing;
    private final Handover handover;
    private final Vdevices vdevices;
    private final Firmware firmware;
    private final LongSupplier entropy;

    /** @param entropy seeds for guests' address layouts */
    public GuestStart(Root root, MemParcels parcels, ParcelBorrowing borrowing, Vdevices vdevices, Firmware firmware,
            LongSupplier entropy) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.parcels = parcels;
        this.borrowing = borrowing;
        this.handover = new Handover(root, parcels);
        this.vdevices = vdevices;
        this.firmware = firmware;
        this.entropy = entropy;
    }

    /** Where things of one start are in the guest: addresses in bytes, {@code firmware} 0 when there is none. */
    private record Layout(ConfigImage image, MemParcel parcel, long base, long firmware) {
        MemRange range() {
            return new MemRange(base, parcel.size());
        }

        long entry(GuestConfig config) {
            long offset = image.auth() == ConfigImage.AUTH_PLATFORM ? config.entryOffset() : 0;
            return firmware != 0 ? firmware : base + image.imageOffset() + offset;
        }
    }

    void start(Vm vm) {
        ConfigImage image = vm.image.orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        MemParcel parcel = imageParcel(vm, image.handle());
        long base = vm.imageLayout.map(layout -> layout.base()).orElse(vm.configured().memory().base());
        vm.imageLayout.ifPresent(layout -> require(layout.size() >= parcel.size()));
        int firmwareHandle = vm.firmware.map(FirmwareMemory::handle).orElse(image.handle());
        StartParcels others = new StartParcels(vm, parcels, borrowing,
                p -> p == parcel || p.handle() == firmwareHandle);
        try {
            Layout layout = new Layout(image, parcel, base, placeFirmware(vm, image, base));
            others.acceptForDevices();
            if (vm.imageLayout.isEmpty()) {
                GuestConfig.Memory memory = vm.configured().memory();
                others.acceptPrivateMemory(base + parcel.size(), memory.base() + memory.sizeMax());
            }
            others.acceptRest();
            writeTree(vm, layout, others);
            giveImage(vm, layout);
        } catch (RmFault | HypFault failure) {
            others.giveBack();
            releaseFirmware(vm, image);
            throw failure;
        }
    }

    private static void require(boolean there) {
        if (!there) {
            throw new RmFault(RmError.NORESOURCE);
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

    // The firmware's region is still out of everybody's reach, as the image is.
    private long placeFirmware(Vm vm, ConfigImage image, long base) {
        if (image.auth() != ConfigImage.AUTH_ANDROID) {
            return 0;
        }
        FirmwareMemory place = vm.firmware.orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        byte[] code = firmware.image(image.auth());
        if (code.length > place.size()) {
            throw new RmFault(RmError.MEM_INVALID);
        }
        MemParcel parcel = place.handle() == image.handle() ? parcels.find(image.handle())
                : imageParcel(vm, place.handle());
        root.window().write(parcel.extent(), parcel.slice(place.offset(), place.size()),
                Arrays.copyOf(code, Math.toIntExact(place.size())));
        if (place.handle() == image.handle()) {
            return base + place.offset();
        }
        long at = vm.firmwareLayout.map(layout -> layout.base()).or(() -> vm.configured().memory().firmwareAddress())
                .orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        borrowing.accept(vm, parcel, ParcelServices.acceptance(vm, parcel, ParcelAccept.CONTIGUOUS,
                List.of(new MemRange(at, parcel.size()))));
        return at + place.offset();
    }

    private void releaseFirmware(Vm vm, ConfigImage image) {
        vm.firmware.filter(place -> place.handle() != image.handle()).map(place -> parcels.find(place.handle()))
                .filter(parcel -> parcel.isAcceptedBy(vm.vmid)).ifPresent(parcel -> borrowing.release(vm, parcel, 0));
    }

    private void giveImage(Vm vm, Layout layout) {
        if (vm.imageLayout.isPresent()) {
            handover.handOver(layout.parcel, vm.built().privateExtent(), vm.built().addrspace(), layout.base,
                    () -> powerOn(vm, layout));
            return;
        }
        int sanitise = layout.image.auth() == ConfigImage.AUTH_NONE ? 0 : ParcelAccept.SANITISE_ON_RECLAIM;
        borrowing.accept(vm, layout.parcel, ParcelServices.acceptance(vm, layout.parcel,
                ParcelAccept.CONTIGUOUS | sanitise, List.of(layout.range())));
        try {
            powerOn(vm, layout);
        } catch (RmFault | HypFault failure) {
            borrowing.release(vm, layout.parcel, 0);
            throw failure;
        }
    }

    // The parcel is out of everybody's reach now: what is parsed here is what the guest gets.
    private void writeTree(Vm vm, Layout layout, StartParcels others) {
        Fdt tree = GuestTree.read(root, layout.parcel, layout.image);
        GuestConfig config = vm.configured();
        List<MemRange> memory = new ArrayList<>(vm.demandPaged);
        memory.add(layout.range());
        others.mapped().stream().filter(p -> p.memType() == 0).forEach(p -> memory.addAll(others.places(p)));
        GuestOverlay overlay = new GuestOverlay(tree, config.gic().phandle())
                .kaslrSeed(entropy.getAsLong())
                // The owner alone knows which of what it lends or shares on demand is meant as RAM.
                .memory(memory, vm.imageLayout.isPresent())
                .identity(vm.vmid, vm.ownerVmid, config, List.copyOf(vm.peers))
                .gic(config.gic(), vm.built().vcpus().size())
                .platformBus();
        new GuestDevices(vm, overlay, others).write(vdevices.of(vm), vdevices.virtioOf(vm));
        if (layout.firmware != 0) {
            overlay.firmware(new MemRange(layout.firmware, vm.firmware.orElseThrow().size()));
        }
        if (!config.psci()) {
            vm.built().vcpus().forEach(v -> overlay.vcpu(config.vcpus().cpus().get(v.index()).path(), v.guestCap()));
        }
        GuestTree.write(root, layout.parcel, layout.image, tree);
    }

    private void powerOn(Vm vm, Layout layout) {
        List<GuestVcpu> boot = vm.built().vcpus().stream().filter(GuestVcpu::boot).toList();
        boolean android = layout.image.auth() == ConfigImage.AUTH_ANDROID;
        require(!boot.isEmpty() && (!android || boot.size() == 1));
        if (android) {
            long vcpu = boot.getFirst().cap();
            hypercalls.writeRegister(vcpu, BootContext.SET_X, 1, layout.base + layout.image.imageOffset());
            hypercalls.writeRegister(vcpu, BootContext.SET_X, 2, layout.image.imageSize());
        }
        for (GuestVcpu vcpu : boot) {
            // Registers the owner set were written to the first boot vCPU; the others start as RM says.
            boolean primary = vcpu == boot.getFirst() && !android;
            boolean keepEntry = primary && vm.bootRegisters.contains(BootContext.SET_PC << 8);
            boolean keepContext = primary && vm.bootRegisters.contains(BootContext.SET_X << 8);
            hypercalls.powerOn(vcpu.cap(), layout.entry(vm.configured()), layout.base + layout.image.dtbOffset(),
                    (keepEntry ? Hypercalls.KEEP_ENTRY : 0) | (keepContext ? Hypercalls.KEEP_CONTEXT : 0));
        }
    }

    /** {@return the vCPU that boot registers are written to} */
    static Optional<GuestVcpu> primary(Vm vm) {
        return vm.built().vcpus().stream().filter(GuestVcpu::boot).findFirst();
    }
}
