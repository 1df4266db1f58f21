package gunyah.rm.memparcel;

import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** One parcel: its memory, who may have it and who has. Changed only by {@link MemParcels}. */
public final class MemParcel {
    /** Where a parcel is in its life; deleted ones are in no registry. */
    public enum State {
        /** More ranges follow by APPEND. */
        INIT,
        /** Complete, nobody has accepted it. */
        SHARING,
        /** At least one borrower has accepted it. */
        SHARED
    }

    private final int handle;
    private final ParcelVm owner;
    private final ParcelTransfer transfer;
    private final int label;
    private final boolean sanitised;
    private final List<AclEntry> acl;
    private final List<MemAttribute> attributes;
    private final long extent;
    private final List<PhysRange> regions = new ArrayList<>();
    private final Map<Integer, Acceptance> acceptances = new TreeMap<>();
    private State state;
    private OptionalInt tag = OptionalInt.empty();
    private boolean sanitiseOnReclaim;

    /** What a borrower holds of a parcel. */
    static final class Acceptance {
        final List<MemRange> ipas = new ArrayList<>();
        boolean mapped;
    }

    MemParcel(int handle, ParcelVm owner, ParcelTransfer transfer, ParcelCreate request, long extent) {
        this.handle = handle;
        this.owner = owner;
        this.transfer = transfer;
        this.label = request.label();
        this.sanitised = (request.flags() & ParcelCreate.SANITISE) != 0;
        this.acl = request.acl();
        this.attributes = request.attributes();
        this.extent = extent;
        this.state = (request.flags() & ParcelCreate.MORE_FOLLOWS) != 0 ? State.INIT : State.SHARING;
    }

    public int handle() {
        return handle;
    }

    public ParcelVm owner() {
        return owner;
    }

    public ParcelTransfer transfer() {
        return transfer;
    }

    public int label() {
        return label;
    }

    public List<AclEntry> acl() {
        return acl;
    }

    public List<MemAttribute> attributes() {
        return attributes;
    }

    public boolean isSanitised() {
        return sanitised;
    }

    public State state() {
        return state;
    }

    /** {@return cap of the parcel's extent, based at 0} */
    public long extent() {
        return extent;
    }

    /** {@return its memory, in the owner's order} */
    public List<PhysRange> regions() {
        return List.copyOf(regions);
    }

    /** {@return bytes of the whole parcel} */
    public long size() {
        return regions.stream().mapToLong(PhysRange::size).sum();
    }

    /** {@return how many VMs have accepted it} */
    public int shareCount() {
        return acceptances.size();
    }

    public boolean names(int vmid) {
        return acl.stream().anyMatch(entry -> entry.vmid() == vmid);
    }

    /** {@return the rights of a VM of the ACL} Throws VMID_INVALID for others. */
    public int rights(int vmid) {
        return acl.stream().filter(entry -> entry.vmid() == vmid).findFirst()
                .orElseThrow(() -> new RmFault(RmError.VMID_INVALID)).rights();
    }

    /** {@return the physical pieces of bytes {@code offset .. offset + size - 1} of the parcel} */
    public List<PhysRange> slice(long offset, long size) {
        List<PhysRange> slice = new ArrayList<>();
        long at = 0;
        for (PhysRange region : regions) {
            long from = Math.max(offset, at);
            long to = Math.min(offset + size, at + region.size());
            if (from < to) {
                slice.add(new PhysRange(region.base() + from - at, to - from));
            }
            at += region.size();
        }
        return slice;
    }

    void add(PhysRange region) {
        regions.add(region);
    }

    void removeLast() {
        regions.removeLast();
    }

    void complete() {
        state = State.SHARING;
    }

    Acceptance acceptance(int vmid) {
        return acceptances.get(vmid);
    }

    void accepted(int vmid, Acceptance acceptance) {
        acceptances.put(vmid, acceptance);
        state = State.SHARED;
    }

    void released(int vmid) {
        acceptances.remove(vmid);
        if (acceptances.isEmpty() && state == State.SHARED) {
            state = State.SHARING;
        }
    }

    void sanitiseOnReclaim() {
        sanitiseOnReclaim = true;
    }

    boolean mustSanitise() {
        return sanitiseOnReclaim;
    }

    OptionalInt tag() {
        return tag;
    }

    /** {@return the memory information tag, 0 before the first notification fixed it} */
    public int tagOrZero() {
        return tag.orElse(0);
    }

    void setTag(int value) {
        tag = OptionalInt.of(value);
    }
}
