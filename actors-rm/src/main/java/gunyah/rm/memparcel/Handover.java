package gunyah.rm.memparcel;

import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.Journal;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;

/**
 * Moves a lent parcel into a guest that starts, as private memory: from then on its pages are like those the host lends
 * one by one (what the Linux v17 driver expects of START).
 */
public final class Handover {
    private final Hypercalls hypercalls;
    private final Journal journal;
    private final MemParcels parcels;

    public Handover(Root root, MemParcels parcels) {
        this.hypercalls = root.hypercalls();
        this.journal = root.journal();
        this.parcels = parcels;
    }

    /**
     * Hands a parcel over. It is forgotten, because its owner takes the pages back one by one; when {@code then} throws,
     * it is what it was before.
     *
     * @param guestExtent child of the owner's extent, based at 0
     * @param addrspace   the guest's
     * @param ipa         where the parcel's first byte goes
     * @param then        what must succeed besides
     */
    public void handOver(MemParcel parcel, long guestExtent, long addrspace, long ipa, Runnable then) {
        if (!parcel.isNested()) {
            throw new RmFault(RmError.NORESOURCE);
        }
        journal.whole(() -> {
            long at = ipa;
            for (Region region : parcel.regions()) {
                move(parcel, region, guestExtent, addrspace, at);
                at += region.size();
            }
            then.run();
        });
        parcels.forget(parcel);
    }

    private void move(MemParcel parcel, Region region, long guestExtent, long addrspace, long ipa) {
        journal.step(() -> hypercalls.donate(Donation.TO_SIBLING, parcel.extent(), guestExtent, region.base(),
                region.size()), () -> hypercalls.donate(Donation.TO_SIBLING, guestExtent, parcel.extent(),
                region.base(), region.size()));
        journal.step(() -> hypercalls.map(addrspace, guestExtent, ipa, Hypercalls.MAP_RWX, Hypercalls.MAP_PRIVATE,
                region.base(), region.size()), () -> {
            hypercalls.unlockPages(addrspace, ipa, region.size());
            hypercalls.unmap(addrspace, guestExtent, ipa, Hypercalls.MAP_PRIVATE, region.base(), region.size());
        });
    }
}
