package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.memparcel.ParcelServices;
import gunyah.rm.root.HypFault;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parcels the Resource Manager accepts for a VM that starts: those of its devices, private memory, and whatever else
 * names it (vm_creation.c). Of one start; given back when that fails.
 */
final class StartParcels {
    private static final Logger LOG = LoggerFactory.getLogger(StartParcels.class);
    private static final int ALL = AclEntry.R | AclEntry.W | AclEntry.X;

    private final Vm vm;
    private final MemParcels parcels;
    private final ParcelBorrowing borrowing;
    private final Predicate<MemParcel> elsewhere;
    private final Deque<MemParcel> accepted = new ArrayDeque<>();

    /** @param elsewhere parcels that START deals with otherwise: image and firmware */
    StartParcels(Vm vm, MemParcels parcels, ParcelBorrowing borrowing, Predicate<MemParcel> elsewhere) {
        this.vm = vm;
        this.parcels = parcels;
        this.borrowing = borrowing;
        this.elsewhere = elsewhere;
    }

    /** Accepts what the VM's devices need. Throws NORESOURCE when something is missing that is not optional. */
    void acceptForDevices() {
        for (Vdevice device : vm.configured().vdevices()) {
            switch (device) {
                case SharedMemoryDevice memory -> {
                    Optional<MemParcel> parcel = labelled(memory.parcelLabel(), ParcelCreate.NORMAL);
                    need(parcel.isPresent() || memory.optional());
                    parcel.ifPresent(p -> acceptAt(p, memory.base()));
                }
                case IoMemoryDevice memory -> {
                    Optional<MemParcel> parcel = labelled(memory.parcelLabel(), ParcelCreate.IO);
                    need(parcel.filter(p -> isAsExpected(p, memory)).isPresent());
                    acceptAt(parcel.get(), Optional.empty());
                    memory.tag().ifPresent(parcel.get()::setTag);
                }
                default -> { }
            }
        }
    }

    private boolean isAsExpected(MemParcel parcel, IoMemoryDevice device) {
        int owner = parcel.owner().vmid();
        boolean ranges = device.ranges().isEmpty() || device.ranges().size() == parcel.regions().size()
                && parcel.regions().stream().allMatch(r -> device.ranges().contains(new MemRange(r.base(), r.size())));
        return ranges && (device.rights().isEmpty() || parcel.acl().equals(List.of(
                        new AclEntry(vm.vmid, device.rights().getFirst()),
                        new AclEntry(owner, device.rights().getLast()))))
                && (device.attributes().isEmpty() || Set.copyOf(parcel.attributes()).equals(Set.of(
                        new MemAttribute(device.attributes().getFirst(), vm.vmid),
                        new MemAttribute(device.attributes().getLast(), owner))));
    }

    private static void need(boolean there) {
        if (!there) {
            throw new RmFault(RmError.NORESOURCE);
        }
    }

    private Optional<MemParcel> labelled(int label, int memType) {
        return parcels.all().stream().filter(p -> open(p) && p.label() == label && p.memType() == memType).findFirst()
                .or(() -> borrowing.mappedBy(vm).stream().filter(p -> p.label() == label && p.memType() == memType)
                        .findFirst());
    }

    private boolean open(MemParcel parcel) {
        return parcel.names(vm.vmid) && parcel.owner() != vm && parcel.state() != MemParcel.State.INIT
                && !parcel.isOrphan() && !parcel.isAcceptedBy(vm.vmid) && !elsewhere.test(parcel);
    }

    private void acceptAt(MemParcel parcel, Optional<Long> base) {
        if (parcel.isAcceptedBy(vm.vmid)) {
            return;
        }
        boolean whole = base.isPresent();
        accept(parcel, whole ? ParcelAccept.CONTIGUOUS : 0,
                base.map(at -> List.of(new MemRange(at, parcel.size()))).orElse(List.of()));
    }

    private void accept(MemParcel parcel, int flags, List<MemRange> ranges) {
        borrowing.acceptWhole(vm, parcel, ParcelServices.acceptance(vm, parcel, flags, ranges));
        if (parcel.isAcceptedBy(vm.vmid)) {
            accepted.push(parcel);
        }
    }

    /**
     * Appends lent private memory behind the image.
     *
     * @param end   where the image ends
     * @param limit where private memory must end
     */
    void acceptPrivateMemory(long end, long limit) {
        long at = end;
        for (MemParcel parcel : List.copyOf(parcels.all())) {
            if (open(parcel) && isPrivateMemory(parcel)) {
                try {
                    need(parcel.size() <= limit - at);
                    acceptAt(parcel, Optional.of(at));
                    at += parcel.size();
                } catch (RmFault | HypFault refused) {
                    LOG.info("VM {} starts without parcel {}: {}", vm.vmid, parcel.handle(), refused.getMessage());
                }
            }
        }
        if (at - vm.configured().memory().base() < vm.configured().memory().sizeMin()) {
            LOG.info("VM {} starts with less memory than it asked for", vm.vmid);
        }
    }

    private boolean isPrivateMemory(MemParcel parcel) {
        return parcel.label() == 0 && parcel.memType() == ParcelCreate.NORMAL
                && parcel.transfer() == ParcelTransfer.LEND
                && parcel.acl().equals(List.of(new AclEntry(vm.vmid, ALL)))
                && parcel.attributes().stream().allMatch(a -> a.attribute() == MemAttribute.NORMAL);
    }

    /** Accepts everything else of normal memory that names the VM, anywhere. */
    void acceptRest() {
        for (MemParcel parcel : List.copyOf(parcels.all())) {
            if (open(parcel) && parcel.memType() == ParcelCreate.NORMAL && !mayBecomePrivate(parcel)) {
                acceptAt(parcel, Optional.empty());
            }
        }
    }

    // Private memory that did not fit stays the owner's to reclaim.
    private boolean mayBecomePrivate(MemParcel parcel) {
        return vm.imageLayout.isEmpty() && isPrivateMemory(parcel);
    }

    /** {@return all parcels the VM has now} */
    List<MemParcel> mapped() {
        return borrowing.mappedBy(vm).stream().filter(p -> !elsewhere.test(p)).toList();
    }

    /** {@return whether a parcel is memory like any other to the VM, and not a buffer shared with somebody} */
    boolean isMemory(MemParcel parcel) {
        return mayBecomePrivate(parcel);
    }

    List<MemRange> places(MemParcel parcel) {
        return borrowing.places(vm, parcel);
    }

    /** Gives everything back that this start accepted. */
    void giveBack() {
        while (!accepted.isEmpty()) {
            borrowing.release(vm, accepted.pop(), 0);
        }
    }
}
