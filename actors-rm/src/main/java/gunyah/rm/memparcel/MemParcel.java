package gunyah.rm.memparcel;

import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** One parcel: its memory, who may have it and who has. Changed by {@link MemParcels} and {@link ParcelBorrowing}. */
public final class MemParcel {
    /** Stage-2 memory types: write-back, non-cacheable, device nGnRE. */
    private static final int WRITE_BACK = 0xf;
    private static final int NON_CACHEABLE = 5;
    private static final int DEVICE_NGNRE = 1;

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
    private final ParcelCreate request;
    private final long extent;
    private final boolean nested;
    private final List<Region> regions = new ArrayList<>();
    /** The owner's addresses that are not in the parcel. */
    private final IpaSpace others = new IpaSpace(ParcelRules.ADDRESS_LIMIT);
    private final Map<Integer, Acceptance> acceptances = new TreeMap<>();
    private long size;
    private boolean complete;
    private boolean orphan;
    private OptionalInt tag = OptionalInt.empty();
    private boolean sanitiseOnReclaim;

    /**
     * @param extent cap of the extent that holds its memory, based at 0
     * @param nested whether that is a child of the owner's extent, or a sibling
     */
    MemParcel(int handle, ParcelVm owner, ParcelTransfer transfer, ParcelCreate request, long extent, boolean nested) {
        this.handle = handle;
        this.owner = owner;
        this.transfer = transfer;
        this.request = request;
        this.extent = extent;
        this.nested = nested;
        this.complete = (request.flags() & ParcelCreate.MORE_FOLLOWS) == 0;
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

    public int memType() {
        return request.memType();
    }

    boolean isIo() {
        return memType() == ParcelCreate.IO;
    }

    public int label() {
        return request.label();
    }

    public List<AclEntry> acl() {
        return request.acl();
    }

    public List<MemAttribute> attributes() {
        return request.attributes();
    }

    public boolean isSanitised() {
        return (request.flags() & ParcelCreate.SANITISE) != 0;
    }

    public State state() {
        return !complete ? State.INIT : acceptances.isEmpty() ? State.SHARING : State.SHARED;
    }

    /** {@return cap of the parcel's extent, based at 0} */
    public long extent() {
        return extent;
    }

    boolean isNested() {
        return nested;
    }

    /** {@return its memory, in the owner's order; a view} */
    public List<Region> regions() {
        return Collections.unmodifiableList(regions);
    }

    /** {@return bytes of the whole parcel} */
    public long size() {
        return size;
    }

    /** {@return how many VMs have accepted it} */
    public int shareCount() {
        return acceptances.size();
    }

    public boolean names(int vmid) {
        return acl().stream().anyMatch(entry -> entry.vmid() == vmid);
    }

    /** {@return whether this VM has accepted it, perhaps without mapping it yet} */
    public boolean isAcceptedBy(int vmid) {
        return acceptances.containsKey(vmid);
    }

    /** {@return the rights of a VM of the ACL} Throws VMID_INVALID for others. */
    public int rights(int vmid) {
        return acl().stream().filter(entry -> entry.vmid() == vmid).findFirst()
                .orElseThrow(() -> new RmFault(RmError.VMID_INVALID)).rights();
    }

    /** {@return attributes of a VM's mapping: ACL rights for EL1 and EL0, and the memory type} */
    int mapAttributes(int vmid) {
        int given = attributes().stream().filter(a -> a.vmid() == vmid).findFirst().map(MemAttribute::attribute)
                .orElse(isIo() ? MemAttribute.DEVICE : MemAttribute.NORMAL);
        int type = switch (given) {
            case MemAttribute.DEVICE -> DEVICE_NGNRE;
            case MemAttribute.UNCACHED -> NON_CACHEABLE;
            default -> WRITE_BACK;
        };
        return type << 16 | rights(vmid) << 4 | rights(vmid);
    }

    /** {@return the physical pieces of bytes {@code offset .. offset + length - 1} of the parcel} */
    public List<PhysRange> slice(long offset, long length) {
        List<PhysRange> slice = new ArrayList<>();
        long at = 0;
        for (Region region : regions) {
            long from = Math.max(offset, at);
            long to = Math.min(offset + length, at + region.size());
            if (from < to) {
                slice.add(new PhysRange(region.base() + from - at, to - from));
            }
            at += region.size();
        }
        return slice;
    }

    /** Names one more region. Throws MEM_INVALID when the parcel has any of it already. */
    void add(Region region) {
        if (!others.has(region.ipa(), region.size())) {
            throw new RmFault(RmError.MEM_INVALID);
        }
        others.take(region.ipa(), region.size());
        regions.add(region);
        size += region.size();
    }

    void removeLast() {
        Region last = regions.removeLast();
        others.giveBack(last.ipa(), last.size());
        size -= last.size();
    }

    void complete() {
        complete = true;
    }

    Acceptance acceptance(int vmid) {
        return acceptances.get(vmid);
    }

    List<Integer> borrowers() {
        return List.copyOf(acceptances.keySet());
    }

    void accepted(int vmid, Acceptance acceptance) {
        acceptances.put(vmid, acceptance);
    }

    void released(int vmid) {
        acceptances.remove(vmid);
    }

    void sanitiseOnReclaim() {
        sanitiseOnReclaim = true;
    }

    boolean mustSanitise() {
        return sanitiseOnReclaim;
    }

    /** Its owner is gone: it goes with its last borrower. */
    void orphan() {
        orphan = true;
    }

    /** {@return whether its owner is gone, so that nobody new may accept it} */
    public boolean isOrphan() {
        return orphan;
    }

    OptionalInt tag() {
        return tag;
    }

    /** {@return the memory information tag, 0 before the first notification fixed it} */
    public int tagOrZero() {
        return tag.orElse(0);
    }

    /** Fixes the memory information tag. */
    public void setTag(int value) {
        tag = OptionalInt.of(value);
    }
}
