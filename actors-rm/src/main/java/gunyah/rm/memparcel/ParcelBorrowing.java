package gunyah.rm.memparcel;

import static gunyah.rm.memparcel.ParcelRules.argument;

import gunyah.rm.memparcel.MemParcel.State;
import gunyah.rm.memparcel.ParcelVm.ParcelSpace;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.Journal;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.function.ObjIntConsumer;

/**
 * What borrowers do with parcels: accept, which maps them or for a donation makes them the borrower's own, and release.
 */
public final class ParcelBorrowing {
    private static final long LARGE_PAGE = 2L << 20;
    /** Most addresses that one ACCEPT reserves. */
    private static final int MAX_ENTRIES = 512;

    private final Hypercalls hypercalls;
    private final Journal journal;
    private final MemParcels parcels;
    private final ParcelEstate estate;
    private final ObjIntConsumer<MemParcel> onLoss;
    private final Map<Integer, SequencedSet<MemParcel>> accepted = new HashMap<>();

    /**
     * What an accept did.
     *
     * @param ranges     addresses it reserved
     * @param incomplete whether more must be reserved before the parcel can be mapped
     */
    public record Accepted(List<MemRange> ranges, boolean incomplete) {
    }

    /** @param onLoss told when a borrower lost a parcel because it was reset, with its VMID */
    public ParcelBorrowing(Root root, MemParcels parcels, ParcelEstate estate, ObjIntConsumer<MemParcel> onLoss) {
        this.hypercalls = root.hypercalls();
        this.journal = root.journal();
        this.parcels = parcels;
        this.estate = estate;
        this.onLoss = onLoss;
    }

    /** Accepts a parcel for the calling VM. */
    public Accepted accept(ParcelVm borrower, MemParcel parcel, ParcelAccept request) {
        checkAccept(borrower, parcel, request);
        ParcelSpace space = borrower.parcelSpace().orElseThrow(() -> new RmFault(RmError.DENIED));
        Acceptance known = parcel.acceptance(borrower.vmid());
        boolean contiguous = (request.flags() & ParcelAccept.CONTIGUOUS) != 0;
        argument(!contiguous || !parcel.isIo());
        argument(known == null || known.contiguous == contiguous);
        Acceptance acceptance = known != null ? known : new Acceptance(contiguous);
        int before = acceptance.ipas().size();
        try {
            journal.whole(() -> {
                reserve(space, parcel, acceptance, request.ranges());
                if ((request.flags() & ParcelAccept.DONE) != 0) {
                    argument(acceptance.reserved() == parcel.size());
                    take(borrower, space, parcel, acceptance);
                }
            });
        } catch (HypFault fault) {
            throw new RmFault(fault.rmError() == RmError.NOMEM ? RmError.NOMEM : RmError.MAP_FAILED);
        }
        List<MemRange> reserved = List.copyOf(acceptance.ipas().subList(before, acceptance.ipas().size()));
        boolean incomplete = acceptance.reserved() < parcel.size();
        if ((request.flags() & ParcelAccept.SANITISE_ON_RECLAIM) != 0) {
            parcel.sanitiseOnReclaim();
        }
        if (acceptance.done && parcel.transfer() == ParcelTransfer.DONATE) {
            changeOwner(borrower, parcel, acceptance);
        } else {
            parcel.accepted(borrower.vmid(), acceptance);
            accepted.computeIfAbsent(borrower.vmid(), vmid -> new LinkedHashSet<>()).add(parcel);
        }
        return new Accepted(reserved, incomplete);
    }

    /**
     * Accepts a parcel as a whole and maps it, in as many steps as its regions take; or leaves nothing of it.
     *
     * @param request with the flag DONE
     */
    public void acceptWhole(ParcelVm borrower, MemParcel parcel, ParcelAccept request) {
        try {
            boolean more = request.ranges().isEmpty() && (request.flags() & ParcelAccept.CONTIGUOUS) == 0
                    && parcel.regions().size() > MAX_ENTRIES;
            while (more) {
                more = accept(borrower, parcel, request.without(ParcelAccept.DONE)).incomplete();
            }
            accept(borrower, parcel, request);
        } catch (RmFault refused) {
            if (parcel.isAcceptedBy(borrower.vmid()) && !parcel.acceptance(borrower.vmid()).done) {
                drop(borrower, parcel);
            }
            throw refused;
        }
    }

    private static void checkAccept(ParcelVm borrower, MemParcel parcel, ParcelAccept request) {
        int flags = request.flags();
        argument(request.memType() == parcel.memType() && request.transfer() == parcel.transfer().ordinal());
        argument(request.mapVmid() == 0);
        Acceptance acceptance = parcel.acceptance(borrower.vmid());
        boolean mapped = acceptance != null && acceptance.done;
        if (parcel.owner() == borrower || mapped || (flags & ParcelAccept.MAP_OTHER) != 0
                || parcel.state() == State.INIT || parcel.isOrphan()) {
            throw new RmFault(RmError.DENIED);
        }
        int rights = parcel.rights(borrower.vmid());
        argument((flags & ParcelAccept.SANITISE_ON_RECLAIM) == 0 || maySanitise(parcel, rights));
        validate((flags & ParcelAccept.VALIDATE_SANITISED) == 0 || parcel.isSanitised());
        validate((flags & ParcelAccept.VALIDATE_LABEL) == 0 || parcel.label() == request.label());
        validate((flags & ParcelAccept.VALIDATE_ACL) == 0 || parcel.acl().equals(request.acl())
                && new HashSet<>(parcel.attributes()).equals(new HashSet<>(request.attributes())));
    }

    private static boolean maySanitise(MemParcel parcel, int rights) {
        return !parcel.isIo() && (rights & AclEntry.W) != 0;
    }

    private void reserve(ParcelSpace space, MemParcel parcel, Acceptance acceptance, List<MemRange> given) {
        List<Region> open = open(parcel, acceptance);
        argument(given.size() <= open.size());
        boolean direct = space.direct() || parcel.isIo();
        int count = given.isEmpty() ? Math.min(open.size(), MAX_ENTRIES) : given.size();
        for (int i = 0; i < count; i++) {
            Region region = open.get(i);
            if (!given.isEmpty()) {
                argument(given.get(i).size() == region.size() && (given.get(i).base() & PhysRange.PAGE - 1) == 0);
                if (direct && given.get(i).base() != region.base()) {
                    throw new RmFault(RmError.NORESOURCE);
                }
                reserve(space, acceptance, given.get(i).base(), region.size());
            } else if (direct) {
                reserve(space, acceptance, region.base(), region.size());
            } else {
                long alignment = region.size() >= LARGE_PAGE ? LARGE_PAGE : PhysRange.PAGE;
                reserve(space, acceptance, space.free().findFirst(0, space.free().end(), region.size(), alignment),
                        region.size());
            }
        }
    }

    private void reserve(ParcelSpace space, Acceptance acceptance, long base, long size) {
        journal.step(() -> space.free().take(base, size), () -> space.free().giveBack(base, size));
        journal.step(() -> acceptance.add(new MemRange(base, size)), acceptance::removeLast);
    }

    // What has no address yet: regions, or the parcel as a whole. A direct place for the whole is its first region's.
    private static List<Region> open(MemParcel parcel, Acceptance acceptance) {
        if (!acceptance.contiguous) {
            return parcel.regions().subList(acceptance.ipas().size(), parcel.regions().size());
        }
        return acceptance.ipas().isEmpty()
                ? List.of(new Region(parcel.regions().getFirst().base(), parcel.size(), 0)) : List.of();
    }

    private void take(ParcelVm borrower, ParcelSpace space, MemParcel parcel, Acceptance acceptance) {
        List<Region> placed = acceptance.placed(parcel);
        if (space.direct() && placed.stream().anyMatch(region -> region.ipa() != region.base())) {
            throw new RmFault(RmError.NORESOURCE);
        }
        boolean donation = parcel.transfer() == ParcelTransfer.DONATE;
        int attributes = parcel.mapAttributes(borrower.vmid());
        for (Region region : placed) {
            if (donation) {
                takeOver(borrower.memoryOrNew(parcel.memType()), parcel, region, attributes);
            } else {
                journal.step(() -> map(space.addrspace(), parcel.extent(), region, attributes),
                        () -> unmap(space.addrspace(), parcel.extent(), region));
                journal.step(() -> acceptance.mappedRegions++, () -> acceptance.mappedRegions--);
            }
        }
        journal.step(() -> acceptance.done = true, () -> acceptance.done = false);
    }

    private void takeOver(OwnedMemory memory, MemParcel parcel, Region region, int attributes) {
        journal.step(() -> hypercalls.donate(Donation.TO_SIBLING, parcel.extent(), memory.extent(), region.base(),
                region.size()), () -> hypercalls.donate(Donation.TO_SIBLING, memory.extent(), parcel.extent(),
                region.base(), region.size()));
        if (!memory.isMappedWhole()) {
            journal.step(() -> map(memory.addrspace(), memory.extent(), region, attributes),
                    () -> unmap(memory.addrspace(), memory.extent(), region));
        }
    }

    private void map(long addrspace, long extent, Region region, int attributes) {
        hypercalls.map(addrspace, extent, region.ipa(), attributes, 0, region.base(), region.size());
    }

    private void unmap(long addrspace, long extent, Region region) {
        hypercalls.unmap(addrspace, extent, region.ipa(), 0, region.base(), region.size());
    }

    // From here on the old owner has nothing of it, not even the addresses.
    private void changeOwner(ParcelVm borrower, MemParcel parcel, Acceptance acceptance) {
        OwnedMemory from = parcel.owner().memory(parcel.memType()).orElseThrow();
        OwnedMemory to = borrower.memoryOrNew(parcel.memType());
        for (Region region : parcel.regions()) {
            from.remove(region);
            if (!from.isMappedWhole()) {
                journal.afterwards(() -> unmap(from.addrspace(), from.extent(), region));
            }
            parcel.owner().parcelSpace().ifPresent(space -> space.free().giveBack(region.ipa(), region.size()));
        }
        acceptance.placed(parcel).forEach(to::add);
        forgetAcceptance(borrower.vmid(), parcel);
        parcels.forget(parcel);
    }

    /** Gives a parcel back to its owner, who may then reclaim it. */
    public void release(ParcelVm borrower, MemParcel parcel, int flags) {
        if (parcel.owner() == borrower) {
            throw new RmFault(RmError.DENIED);
        }
        if (!parcel.names(borrower.vmid())) {
            throw new RmFault(RmError.HANDLE_INVALID);
        }
        if (parcel.acceptance(borrower.vmid()) == null) {
            throw new RmFault(RmError.MEM_RELEASED);
        }
        boolean sanitise = (flags & ParcelReturn.SANITISE) != 0;
        argument(!sanitise || maySanitise(parcel, parcel.rights(borrower.vmid())));
        if (sanitise) {
            parcel.sanitiseOnReclaim();
        }
        try {
            drop(borrower, parcel);
        } catch (HypFault fault) {
            throw new RmFault(RmError.MAP_FAILED);
        }
    }

    /** Takes the parcel a VM accepted last away from it, because it is reset. {@return whether it had one} */
    public boolean loseLast(ParcelVm borrower) {
        SequencedSet<MemParcel> held = accepted.get(borrower.vmid());
        if (held == null) {
            return false;
        }
        MemParcel parcel = held.getLast();
        drop(borrower, parcel);
        onLoss.accept(parcel, borrower.vmid());
        return true;
    }

    /** {@return parcels a VM has accepted and can use now} */
    public List<MemParcel> mappedBy(ParcelVm borrower) {
        SequencedSet<MemParcel> held = accepted.get(borrower.vmid());
        return held == null ? List.of()
                : held.stream().filter(p -> p.acceptance(borrower.vmid()).done).toList();
    }

    /** {@return where a VM has a parcel that it accepted, in parcel order} */
    public List<MemRange> places(ParcelVm borrower, MemParcel parcel) {
        return List.copyOf(parcel.acceptance(borrower.vmid()).ipas());
    }

    // Resumable: what is unmapped is not unmapped again.
    private void drop(ParcelVm borrower, MemParcel parcel) {
        Acceptance acceptance = parcel.acceptance(borrower.vmid());
        ParcelSpace space = borrower.parcelSpace().orElseThrow();
        List<Region> placed = acceptance.mappedRegions > 0 ? acceptance.placed(parcel) : List.of();
        while (acceptance.mappedRegions > 0) {
            unmap(space.addrspace(), parcel.extent(), placed.get(acceptance.mappedRegions - 1));
            acceptance.mappedRegions--;
        }
        acceptance.ipas().forEach(range -> space.free().giveBack(range.base(), range.size()));
        parcel.released(borrower.vmid());
        forgetAcceptance(borrower.vmid(), parcel);
        journal.afterwards(() -> estate.released(parcel));
    }

    private void forgetAcceptance(int vmid, MemParcel parcel) {
        accepted.computeIfPresent(vmid, (id, held) -> {
            held.remove(parcel);
            return held.isEmpty() ? null : held;
        });
    }

    private static void validate(boolean equal) {
        if (!equal) {
            throw new RmFault(RmError.VALIDATE_FAILED);
        }
    }
}
