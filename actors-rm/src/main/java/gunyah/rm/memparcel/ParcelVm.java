package gunyah.rm.memparcel;

import gunyah.rm.rpc.ParcelCreate;
import java.util.Optional;

/** What parcels need of a VM. */
public interface ParcelVm {
    int vmid();

    /**
     * {@return the memory it can make parcels of; empty when it owns none}
     *
     * @param memType {@link ParcelCreate#NORMAL} or {@link ParcelCreate#IO}
     */
    Optional<OwnedMemory> memory(int memType);

    /** {@return as {@link #memory}, made when it owns none yet} Throws when the VM is not set up. */
    OwnedMemory memoryOrNew(int memType);

    /** {@return where it can map parcels; empty when it is not set up yet} */
    Optional<ParcelSpace> parcelSpace();

    /** {@return whether it hides its memory from its owner} */
    boolean isSensitive();

    /**
     * Address space of a borrower.
     *
     * @param addrspace cap
     * @param free      which of its IPAs are free
     * @param direct    whether it has all memory at IPA = physical address
     */
    record ParcelSpace(long addrspace, IpaSpace free, boolean direct) {
    }
}
