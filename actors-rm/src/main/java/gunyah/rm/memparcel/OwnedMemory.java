package gunyah.rm.memparcel;

import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Memory of one type that a VM owns: what it can make parcels of. Lent and shared memory stays in it; donated memory
 * leaves it when the new owner accepts. Changed only by {@link MemParcels}.
 */
public final class OwnedMemory {
    private final long extent;
    private final long addrspace;
    private final boolean mapped;
    private final TreeMap<Long, Region> pieces = new TreeMap<>();

    /**
     * @param extent    cap of the VM's extent, based at 0, child of the root VM's
     * @param addrspace cap of the address space the VM has it in
     * @param mapped    whether the extent is mapped there for good, wherever its memory comes to lie (IPA = physical)
     */
    public OwnedMemory(long extent, long addrspace, boolean mapped) {
        this.extent = extent;
        this.addrspace = addrspace;
        this.mapped = mapped;
    }

    public long extent() {
        return extent;
    }

    public long addrspace() {
        return addrspace;
    }

    boolean isMappedWhole() {
        return mapped;
    }

    /** {@return what it consists of, by IPA} */
    public Collection<Region> pieces() {
        return List.copyOf(pieces.values());
    }

    /** Adds memory. Boot does, and acceptance of a donation. */
    public void add(Region region) {
        pieces.put(region.ipa(), region);
    }

    /** {@return the physical pieces of a range of IPAs, in order} Throws MEM_INVALID when any of it is not owned. */
    List<Region> regions(long ipa, long size) {
        List<Region> regions = new ArrayList<>();
        long at = ipa;
        while (at < ipa + size) {
            Map.Entry<Long, Region> entry = pieces.floorEntry(at);
            if (entry == null || entry.getValue().end() <= at) {
                throw new RmFault(RmError.MEM_INVALID);
            }
            long to = Math.min(entry.getValue().end(), ipa + size);
            regions.add(entry.getValue().part(at, to));
            at = to;
        }
        return regions;
    }

    /** Takes a region out that is in one piece. */
    void remove(Region region) {
        Region piece = pieces.floorEntry(region.ipa()).getValue();
        pieces.remove(piece.ipa());
        if (piece.ipa() < region.ipa()) {
            add(piece.part(piece.ipa(), region.ipa()));
        }
        if (region.end() < piece.end()) {
            add(piece.part(region.end(), piece.end()));
        }
    }
}
