package gunyah.rm.memparcel;

import gunyah.rm.rpc.MemRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What a borrower holds of a parcel. Changed by {@link ParcelBorrowing}. */
final class Acceptance {
    /** Addresses reserved so far: one range for the whole parcel when contiguous, else one for each region. */
    private final List<MemRange> ipas = new ArrayList<>();
    private long reserved;
    final boolean contiguous;
    /** How many regions are mapped, from the first on. */
    int mappedRegions;
    boolean done;

    Acceptance(boolean contiguous) {
        this.contiguous = contiguous;
    }

    /** {@return addresses reserved so far, in parcel order; a view} */
    List<MemRange> ipas() {
        return Collections.unmodifiableList(ipas);
    }

    void add(MemRange range) {
        ipas.add(range);
        reserved += range.size();
    }

    void removeLast() {
        reserved -= ipas.removeLast().size();
    }

    /** {@return bytes that have an address} */
    long reserved() {
        return reserved;
    }

    /** {@return where each region of the parcel is or will be} All addresses must be reserved. */
    List<Region> placed(MemParcel parcel) {
        List<Region> placed = new ArrayList<>(parcel.regions().size());
        long at = contiguous ? ipas.getFirst().base() : 0;
        for (int i = 0; i < parcel.regions().size(); i++) {
            Region region = parcel.regions().get(i);
            placed.add(new Region(region.base(), region.size(), contiguous ? at : ipas.get(i).base()));
            at += region.size();
        }
        return placed;
    }
}
