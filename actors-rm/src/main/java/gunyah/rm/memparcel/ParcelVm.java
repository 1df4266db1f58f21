package gunyah.rm.memparcel;

import gunyah.rm.root.Ledger;
import java.util.Optional;

/** What parcels need of a VM. */
public interface ParcelVm {
    int vmid();

    /** {@return the memory it can make parcels of; empty when it cannot make any} */
    Optional<OwnedMemory> ownedMemory();

    /** {@return where it can map parcels; empty when it is not set up yet} */
    Optional<ParcelSpace> parcelSpace();

    /** {@return the list of what must be undone when the VM is reset} */
    Ledger ledger();

    /**
     * Memory a VM owns, mapped 1:1.
     *
     * @param extent    cap of its extent, based at 0
     * @param addrspace cap of the address space it is mapped in
     * @param base      first physical address = IPA
     * @param size      bytes
     */
    record OwnedMemory(long extent, long addrspace, long base, long size) {
        boolean contains(long ipa, long bytes) {
            return ipa >= base && bytes <= size && ipa - base <= size - bytes;
        }
    }

    /**
     * Address space of a borrower.
     *
     * @param addrspace cap
     * @param free      which of its IPAs are free
     */
    record ParcelSpace(long addrspace, IpaSpace free) {
    }
}
