package gunyah.rm.memparcel;

import gunyah.hyp.ObjectType;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.Journal;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelLookup;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * All live parcels, and what their owners do with them: create, append, reclaim. Every operation either happens as a
 * whole or leaves ownership and mappings as they were; only a failing append leaves the earlier parts. Borrowers'
 * operations are in {@link ParcelBorrowing}.
 */
public final class MemParcels {
    private static final int INVALID_HANDLE = 0xffff_ffff;

    private final Root root;
    private final Hypercalls hypercalls;
    private final Journal journal;
    private final ParcelRules rules;
    private final Map<Integer, MemParcel> parcels = new TreeMap<>();
    private final Map<ParcelVm, Integer> owned = new HashMap<>();
    private int nextHandle;

    /** @param vmExists whether a VMID is in use */
    public MemParcels(Root root, IntPredicate vmExists) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.journal = root.journal();
        this.rules = new ParcelRules(vmExists);
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

    /** {@return the parcel with this memory that names the caller} Throws LOOKUP_FAILED. */
    public MemParcel lookup(ParcelVm caller, ParcelLookup wanted) {
        return parcels.values().stream()
                .filter(p -> p.names(caller.vmid()) && p.memType() == wanted.memType() && p.label() == wanted.label())
                .filter(p -> wanted.acl().isEmpty() || p.acl().equals(wanted.acl()))
                .filter(p -> wanted.ranges().isEmpty() || physical(p).equals(wanted.ranges()))
                .filter(p -> wanted.attributes().isEmpty()
                        || new HashSet<>(p.attributes()).equals(new HashSet<>(wanted.attributes())))
                .findFirst().orElseThrow(() -> new RmFault(RmError.LOOKUP_FAILED));
    }

    private static List<MemRange> physical(MemParcel parcel) {
        return parcel.regions().stream().map(r -> new MemRange(r.base(), r.size())).toList();
    }

    /** Makes a parcel of the caller's memory. {@return the parcel} */
    public MemParcel create(ParcelVm owner, ParcelTransfer transfer, ParcelCreate request) {
        rules.checkCreate(owner.vmid(), transfer, request);
        if (owned.getOrDefault(owner, 0) >= root.profile().parcelsPerOwner()) {
            throw new RmFault(RmError.DENIED);
        }
        OwnedMemory memory = owner.memory(request.memType()).orElseThrow(() -> new RmFault(RmError.MEM_INVALID));
        // An image is handed over to a child of the owner's extent, for which its parcel must be a child, too.
        boolean nested = transfer == ParcelTransfer.LEND && memory.isMappedWhole();
        long[] extent = new long[1];
        MemParcel[] made = new MemParcel[1];
        journal.whole(() -> {
            journal.step(() -> extent[0] = hypercalls.create(ObjectType.MEMEXTENT), () -> hypercalls.delete(extent[0]));
            hypercalls.deriveExtent(extent[0], nested ? memory.extent() : root.env().memextentCap(), root.end(),
                    Hypercalls.EXTENT_SPARSE_RWX);
            hypercalls.activate(extent[0]);
            MemParcel parcel = new MemParcel(takeHandle(), owner, transfer, request, extent[0], nested);
            addRegions(parcel, memory, request.ranges());
            if (parcel.isSanitised()) {
                zero(parcel, parcel.regions());
            }
            made[0] = parcel;
        });
        parcels.put(made[0].handle(), made[0]);
        owned.merge(owner, 1, Integer::sum);
        return made[0];
    }

    private int takeHandle() {
        while (nextHandle == INVALID_HANDLE || parcels.containsKey(nextHandle)) {
            nextHandle++;
        }
        return nextHandle++;
    }

    private void addRegions(MemParcel parcel, OwnedMemory memory, List<MemRange> ranges) {
        try {
            for (MemRange range : ranges) {
                memory.regions(range.base(), range.size()).forEach(region -> add(parcel, memory, region));
            }
        } catch (HypFault fault) {
            throw new RmFault(switch (fault.error()) {
                case MEMDB_NOT_OWNER -> RmError.MEM_INVALID;
                case MEMEXTENT_MAPPINGS_FULL, EXISTING_MAPPING -> RmError.MAP_FAILED;
                default -> fault.rmError();
            });
        }
    }

    // A shared page is mapped through the parcel before it moves there, so that its owner never misses it.
    private void add(MemParcel parcel, OwnedMemory memory, Region region) {
        if (parcel.regions().size() >= root.profile().regionsPerParcel()) {
            throw new RmFault(RmError.DENIED);
        }
        // Named before it moves: a range that the parcel has already must not be mapped, and unmapped again, for it.
        journal.step(() -> parcel.add(region), parcel::removeLast);
        if (parcel.transfer() == ParcelTransfer.SHARE) {
            int attributes = parcel.mapAttributes(parcel.owner().vmid());
            journal.step(() -> hypercalls.map(memory.addrspace(), parcel.extent(), region.ipa(), attributes, 0,
                    region.base(), region.size()),
                    () -> hypercalls.unmap(memory.addrspace(), parcel.extent(), region.ipa(), 0, region.base(),
                            region.size()));
        }
        journal.step(() -> hypercalls.donate(parcel.isNested() ? Donation.TO_CHILD : Donation.TO_SIBLING,
                memory.extent(), parcel.extent(), region.base(), region.size()),
                () -> giveBack(parcel, memory, region));
    }

    private void giveBack(MemParcel parcel, OwnedMemory memory, Region region) {
        hypercalls.donate(parcel.isNested() ? Donation.TO_PARENT : Donation.TO_SIBLING, parcel.extent(),
                memory.extent(), region.base(), region.size());
    }

    /** Adds ranges to a parcel that was announced to have more. */
    public void append(ParcelVm owner, int handle, boolean last, List<MemRange> ranges) {
        MemParcel parcel = find(handle);
        if (parcel.owner() != owner || parcel.state() != MemParcel.State.INIT) {
            throw new RmFault(RmError.DENIED);
        }
        ParcelRules.checkRanges(ranges);
        OwnedMemory memory = owner.memory(parcel.memType()).orElseThrow(() -> new RmFault(RmError.MEM_INVALID));
        journal.whole(() -> {
            int before = parcel.regions().size();
            addRegions(parcel, memory, ranges);
            if (parcel.isSanitised()) {
                zero(parcel, parcel.regions().subList(before, parcel.regions().size()));
            }
        });
        if (last) {
            parcel.complete();
        }
    }

    /** Takes a parcel back that nobody has accepted. */
    public void reclaim(ParcelVm owner, int handle, int flags) {
        MemParcel parcel = find(handle);
        boolean sanitise = (flags & ParcelReturn.SANITISE) != 0;
        if (parcel.owner() != owner) {
            throw new RmFault(RmError.DENIED);
        }
        ParcelRules.argument(!sanitise || !parcel.isIo());
        if (parcel.shareCount() > 0) {
            throw new RmFault(RmError.MEM_INUSE);
        }
        if (sanitise || parcel.mustSanitise()) {
            zero(parcel, parcel.regions());
        }
        OwnedMemory memory = owner.memory(parcel.memType()).orElseThrow();
        // Page by page the memory is its owner's again: interrupted, it is reclaimed by asking once more.
        while (!parcel.regions().isEmpty()) {
            giveBack(parcel, memory, parcel.regions().getLast());
            parcel.removeLast();
        }
        forget(parcel);
    }

    void zero(MemParcel parcel, List<Region> regions) {
        if (!parcel.isIo()) {
            regions.forEach(r -> hypercalls.modify(parcel.extent(), Hypercalls.MODIFY_ZERO, r.base(), r.size()));
        }
    }

    /** Ends a parcel that has no memory any more. */
    void forget(MemParcel parcel) {
        if (parcels.remove(parcel.handle()) != null) {
            owned.computeIfPresent(parcel.owner(), (vm, count) -> count == 1 ? null : count - 1);
            journal.afterwards(() -> hypercalls.delete(parcel.extent()));
        }
    }

    /** {@return bytes {@code offset .. offset + length - 1} of a parcel that nobody else can write now} */
    public byte[] read(MemParcel parcel, long offset, long length) {
        List<PhysRange> slice = parcel.slice(offset, length);
        return root.window().read(parcel.extent(), slice);
    }
}
