package gunyah.rm.memparcel;

import gunyah.hyp.ObjectType;
import gunyah.rm.memparcel.ParcelVm.OwnedMemory;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All live parcels, and what their owners do with them: create, append, reclaim, and the hand-over of an image parcel
 * to a VM that starts. Every operation either happens as a whole or leaves ownership and mappings as they were; only a
 * failing append leaves the earlier parts. Borrowers' operations are in {@link ParcelBorrowing}.
 */
public final class MemParcels {
    private static final Logger LOG = LoggerFactory.getLogger(MemParcels.class);
    private static final long ADDRESS_LIMIT = 1L << 44;
    private static final int INVALID_HANDLE = 0xffff_ffff;

    private final Root root;
    private final Hypercalls hypercalls;
    private final IntPredicate vmExists;
    private final Map<Integer, MemParcel> parcels = new TreeMap<>();
    private int nextHandle;

    /** @param vmExists whether a VMID is in use */
    public MemParcels(Root root, IntPredicate vmExists) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.vmExists = vmExists;
    }

    /** {@return the parcel} Throws HANDLE_INVALID. */
    public MemParcel find(int handle) {
        MemParcel parcel = parcels.get(handle);
        if (parcel == null) {
            throw new RmFault(RmError.HANDLE_INVALID);
        }
        return parcel;
    }

    public Collection<MemParcel> all() {
        return Collections.unmodifiableCollection(parcels.values());
    }

    /** {@return whether a live parcel is owned by this VM or names it} */
    public boolean involve(int vmid) {
        return parcels.values().stream().anyMatch(p -> p.owner().vmid() == vmid || p.names(vmid));
    }

    /**
     * Makes a parcel of the caller's memory.
     *
     * @param transfer LEND or SHARE
     * @return the parcel
     */
    public MemParcel create(ParcelVm owner, ParcelTransfer transfer, ParcelCreate request) {
        OwnedMemory memory = owner.ownedMemory().orElseThrow(() -> new RmFault(RmError.UNIMPLEMENTED));
        checkRequest(owner.vmid(), transfer, request);
        checkRanges(memory, request.ranges());
        if (parcels.values().stream().filter(p -> p.owner() == owner).count() >= root.profile().parcelsPerOwner()) {
            throw new RmFault(RmError.DENIED);
        }
        MemParcel parcel = new MemParcel(takeHandle(), owner, transfer, request, makeExtent(memory));
        try {
            addRegions(parcel, memory, request.ranges());
            if ((request.flags() & ParcelCreate.SANITISE) != 0) {
                zero(parcel, parcel.regions());
            }
        } catch (RuntimeException failure) {
            hypercalls.delete(parcel.extent());
            throw failure;
        }
        parcels.put(parcel.handle(), parcel);
        return parcel;
    }

    private void checkRequest(int ownerVmid, ParcelTransfer transfer, ParcelCreate request) {
        if (request.memType() == ParcelCreate.IO) {
            throw new RmFault(RmError.UNIMPLEMENTED);
        }
        List<AclEntry> acl = request.acl();
        argument(request.memType() == ParcelCreate.NORMAL && !acl.isEmpty() && !request.ranges().isEmpty());
        argument(acl.stream().allMatch(AclEntry::isLegal));
        argument(acl.stream().map(AclEntry::vmid).distinct().count() == acl.size());
        argument(acl.stream().allMatch(entry -> vmExists.test(entry.vmid())));
        boolean namesOwner = acl.stream().anyMatch(entry -> entry.vmid() == ownerVmid);
        argument(namesOwner == (transfer == ParcelTransfer.SHARE));
        for (MemAttribute attribute : request.attributes()) {
            argument(attribute.attribute() <= MemAttribute.CACHED);
            if (acl.stream().noneMatch(entry -> entry.vmid() == attribute.vmid())) {
                throw new RmFault(RmError.VMID_INVALID);
            }
        }
        argument(request.attributes().stream().map(MemAttribute::vmid).distinct().count()
                == request.attributes().size());
    }

    private static void checkRanges(OwnedMemory memory, List<MemRange> ranges) {
        for (MemRange range : ranges) {
            argument((range.base() & PhysRange.PAGE - 1) == 0 && (range.size() & PhysRange.PAGE - 1) == 0);
            argument(range.size() > 0 && range.size() <= ADDRESS_LIMIT);
            argument(range.base() >= 0 && range.base() < ADDRESS_LIMIT);
            if (!memory.contains(range.base(), range.size())) {
                throw new RmFault(RmError.MEM_INVALID);
            }
        }
    }

    private static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }

    private int takeHandle() {
        while (nextHandle == INVALID_HANDLE || parcels.containsKey(nextHandle)) {
            nextHandle++;
        }
        return nextHandle++;
    }

    private long makeExtent(OwnedMemory memory) {
        long extent = hypercalls.create(ObjectType.MEMEXTENT);
        try {
            hypercalls.deriveExtent(extent, memory.extent(), root.ramEnd(), Hypercalls.EXTENT_SPARSE_RWX);
            hypercalls.activate(extent);
            return extent;
        } catch (HypFault fault) {
            hypercalls.delete(extent);
            throw fault;
        }
    }

    // Undone by itself when a later range fails: what the caller still owned it owns and maps again.
    private void addRegions(MemParcel parcel, OwnedMemory memory, List<MemRange> ranges) {
        int added = 0;
        try {
            for (MemRange range : ranges) {
                PhysRange region = new PhysRange(range.base(), range.size());
                hypercalls.donate(Donation.TO_CHILD, memory.extent(), parcel.extent(), region.base(), region.size());
                parcel.add(region);
                added++;
                if (parcel.transfer() == ParcelTransfer.SHARE) {
                    hypercalls.map(memory.addrspace(), parcel.extent(), region.base(),
                            attributes(parcel.rights(parcel.owner().vmid())), 0, region.base(), region.size());
                }
            }
        } catch (HypFault fault) {
            for (; added > 0; added--) {
                giveBack(parcel, memory, parcel.regions().getLast());
                parcel.removeLast();
            }
            throw new RmFault(switch (fault.error()) {
                case MEMDB_NOT_OWNER -> RmError.MEM_INVALID;
                case MEMEXTENT_MAPPINGS_FULL, EXISTING_MAPPING -> RmError.MAP_FAILED;
                default -> fault.rmError();
            });
        }
    }

    /** {@return map attributes of write-back memory with ACL rights for EL1 and EL0} */
    static int attributes(int rights) {
        return 0xf << 16 | rights << 4 | rights;
    }

    private void giveBack(MemParcel parcel, OwnedMemory memory, PhysRange region) {
        hypercalls.donate(Donation.TO_PARENT, parcel.extent(), memory.extent(), region.base(), region.size());
    }

    /** Adds ranges to a parcel that was announced to have more. */
    public void append(ParcelVm owner, int handle, boolean last, List<MemRange> ranges) {
        MemParcel parcel = find(handle);
        OwnedMemory memory = owner.ownedMemory().orElseThrow(() -> new RmFault(RmError.UNIMPLEMENTED));
        if (parcel.owner() != owner || parcel.state() != MemParcel.State.INIT) {
            throw new RmFault(RmError.DENIED);
        }
        argument(!ranges.isEmpty());
        checkRanges(memory, ranges);
        int before = parcel.regions().size();
        addRegions(parcel, memory, ranges);
        if (parcel.isSanitised()) {
            zero(parcel, parcel.regions().subList(before, parcel.regions().size()));
        }
        if (last) {
            parcel.complete();
        }
    }

    /** Takes a parcel back that nobody has accepted. */
    public void reclaim(ParcelVm owner, int handle, int flags) {
        MemParcel parcel = find(handle);
        if (parcel.owner() != owner) {
            throw new RmFault(RmError.DENIED);
        }
        if (parcel.shareCount() > 0) {
            throw new RmFault(RmError.MEM_INUSE);
        }
        if ((flags & ParcelReturn.SANITISE) != 0 || parcel.mustSanitise()) {
            zero(parcel, parcel.regions());
        }
        OwnedMemory memory = owner.ownedMemory().orElseThrow();
        while (!parcel.regions().isEmpty()) {
            giveBack(parcel, memory, parcel.regions().getLast());
            parcel.removeLast();
        }
        forget(parcel);
    }

    private void zero(MemParcel parcel, List<PhysRange> regions) {
        regions.forEach(r -> hypercalls.modify(parcel.extent(), Hypercalls.MODIFY_ZERO, r.base(), r.size()));
    }

    private void forget(MemParcel parcel) {
        parcels.remove(parcel.handle());
        hypercalls.delete(parcel.extent());
    }

    /**
     * Hands a lent parcel over to a guest's private extent and maps it there as private memory: from then on its pages
     * are like those the host lends one by one. The parcel lives on, empty, until {@link Handover#commit}.
     *
     * @param guestExtent sibling of the parcel's extent, based at 0
     * @param addrspace   the guest's
     * @param ipa         where the parcel's first byte goes
     */
    public Handover handOver(MemParcel parcel, long guestExtent, long addrspace, long ipa) {
        Handover handover = new Handover(parcel);
        try {
            long at = ipa;
            for (PhysRange region : parcel.regions()) {
                handover.step(() -> hypercalls.donate(Donation.TO_SIBLING, parcel.extent(), guestExtent,
                        region.base(), region.size()),
                        () -> hypercalls.donate(Donation.TO_SIBLING, guestExtent, parcel.extent(), region.base(),
                                region.size()));
                long target = at;
                handover.step(() -> hypercalls.map(addrspace, guestExtent, target, Hypercalls.MAP_RWX,
                        Hypercalls.MAP_PRIVATE, region.base(), region.size()),
                        () -> {
                            hypercalls.unlockPages(addrspace, target, region.size());
                            hypercalls.unmap(addrspace, guestExtent, target, Hypercalls.MAP_PRIVATE, region.base(),
                                    region.size());
                        });
                at += region.size();
            }
            return handover;
        } catch (HypFault fault) {
            handover.rollBack();
            throw fault;
        }
    }

    /** A hand-over that can still be taken back. */
    public final class Handover {
        private final MemParcel parcel;
        private final Deque<Runnable> undo = new ArrayDeque<>();

        private Handover(MemParcel parcel) {
            this.parcel = parcel;
        }

        private void step(Runnable action, Runnable undoing) {
            action.run();
            undo.push(undoing);
        }

        /** Forgets the parcel: its owner takes the pages back one by one. */
        public void commit() {
            undo.clear();
            forget(parcel);
        }

        /** Makes the parcel what it was, so that its owner can reclaim it. */
        public void rollBack() {
            while (!undo.isEmpty()) {
                try {
                    undo.pop().run();
                } catch (HypFault fault) {
                    LOG.warn("hand-over of parcel {} could not be undone: {}", parcel.handle(), fault.getMessage());
                }
            }
        }
    }
}
