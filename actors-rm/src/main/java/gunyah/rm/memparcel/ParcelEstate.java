package gunyah.rm.memparcel;

import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.Journal;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelRecall;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a VM that is reset leaves: the memory it owned and the parcels it made. All of it goes, filled with zeros, to its
 * heir, the primary VM; a parcel that others still use when the last of them releases it, and they are asked to.
 */
public final class ParcelEstate {
    private final Hypercalls hypercalls;
    private final Journal journal;
    private final MemParcels parcels;
    private final Supplier<ParcelVm> heir;
    private final ParcelServices.Teller teller;

    public ParcelEstate(Root root, MemParcels parcels, Supplier<ParcelVm> heir, ParcelServices.Teller teller) {
        this.hypercalls = root.hypercalls();
        this.journal = root.journal();
        this.parcels = parcels;
        this.heir = heir;
        this.teller = teller;
    }

    /** Takes one step for a VM that accepts nothing any more. {@return whether there was something to do} */
    public boolean dissolveOne(ParcelVm vm) {
        Optional<MemParcel> next =
                parcels.all().stream().filter(p -> p.owner() == vm && !p.isOrphan()).findFirst();
        if (next.isPresent()) {
            dissolve(next.get());
            return true;
        }
        return inherit(vm, ParcelCreate.NORMAL) || inherit(vm, ParcelCreate.IO);
    }

    private void dissolve(MemParcel parcel) {
        OwnedMemory memory = parcel.owner().memory(parcel.memType()).orElseThrow();
        parcel.orphan();
        parcel.regions().forEach(memory::remove);
        if (parcel.shareCount() > 0) {
            parcel.borrowers().forEach(vmid -> teller.tell(vmid, MessageId.MEM_RECALL,
                    new ParcelRecall(parcel.handle(), parcel.tagOrZero())));
        } else {
            journal.afterwards(() -> released(parcel));
        }
    }

    /** A borrower released this parcel. A defect on the way leaves the rest to be done. */
    void released(MemParcel parcel) {
        if (!parcel.isOrphan() || parcel.shareCount() > 0) {
            return;
        }
        parcels.zero(parcel, parcel.regions());
        while (!parcel.regions().isEmpty()) {
            pass(parcel.extent(), parcel.regions().getLast(), parcel.memType());
            parcel.removeLast();
        }
        parcels.forget(parcel);
    }

    private boolean inherit(ParcelVm vm, int memType) {
        Optional<OwnedMemory> memory = vm.memory(memType);
        if (memory.isEmpty() || memory.get().pieces().isEmpty()) {
            return false;
        }
        Region region = memory.get().pieces().iterator().next();
        if (memType == ParcelCreate.NORMAL) {
            hypercalls.modify(memory.get().extent(), Hypercalls.MODIFY_ZERO, region.base(), region.size());
        }
        pass(memory.get().extent(), region, memType);
        memory.get().remove(region);
        return true;
    }

    private void pass(long extent, Region region, int memType) {
        OwnedMemory memory = heir.get().memory(memType).orElseThrow();
        hypercalls.donate(Donation.TO_SIBLING, extent, memory.extent(), region.base(), region.size());
        memory.add(new Region(region.base(), region.size(), region.base()));
        heir.get().parcelSpace().orElseThrow().free().take(region.base(), region.size());
    }
}
