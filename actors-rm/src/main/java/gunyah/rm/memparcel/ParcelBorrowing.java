package gunyah.rm.memparcel;

import gunyah.rm.memparcel.MemParcel.Acceptance;
import gunyah.rm.memparcel.MemParcel.State;
import gunyah.rm.memparcel.ParcelVm.ParcelSpace;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.ObjIntConsumer;

/** What borrowers do with parcels: accept, which maps them, and release. */
public final class ParcelBorrowing {
    private static final long LARGE_PAGE = 2L << 20;

    private final Hypercalls hypercalls;
    private final ObjIntConsumer<MemParcel> onReset;

    /** @param onReset told when a borrower lost a parcel because it was reset, with its VMID */
    public ParcelBorrowing(Root root, ObjIntConsumer<MemParcel> onReset) {
        this.hypercalls = root.hypercalls();
        this.onReset = onReset;
    }

    /**
     * Accepts a parcel for the calling VM.
     *
     * @return the IPAs RM chose; none when the request named them
     */
    public List<MemRange> accept(ParcelVm borrower, MemParcel parcel, ParcelAccept request) {
        checkAccept(borrower, parcel, request);
        ParcelSpace space = borrower.parcelSpace().orElseThrow(() -> new RmFault(RmError.DENIED));
        Acceptance known = parcel.acceptance(borrower.vmid());
        Acceptance acceptance = known != null ? known : new Acceptance();
        List<MemRange> before = List.copyOf(acceptance.ipas);
        try {
            reserve(space, parcel, acceptance, request);
            if ((request.flags() & ParcelAccept.DONE) != 0) {
                map(borrower, space, parcel, acceptance);
            }
        } catch (RmFault | HypFault fault) {
            acceptance.ipas.stream().skip(before.size()).forEach(r -> space.free().giveBack(r.base()));
            acceptance.ipas.subList(before.size(), acceptance.ipas.size()).clear();
            throw fault instanceof HypFault ? new RmFault(RmError.MAP_FAILED) : fault;
        }
        if (known == null) {
            borrower.ledger().add(Stage.PARCELS, () -> lose(borrower, parcel));
            parcel.accepted(borrower.vmid(), acceptance);
        }
        if ((request.flags() & ParcelAccept.SANITISE_ON_RECLAIM) != 0) {
            parcel.sanitiseOnReclaim();
        }
        return request.ranges().isEmpty() ? List.copyOf(acceptance.ipas) : List.of();
    }

    private static void checkAccept(ParcelVm borrower, MemParcel parcel, ParcelAccept request) {
        int flags = request.flags();
        argument(request.memType() == ParcelCreate.NORMAL && request.transfer() == parcel.transfer().ordinal());
        argument(request.mapVmid() == 0);
        Acceptance acceptance = parcel.acceptance(borrower.vmid());
        boolean mapped = acceptance != null && acceptance.mapped;
        if (parcel.owner() == borrower || mapped || (flags & ParcelAccept.MAP_OTHER) != 0
                || parcel.state() == State.INIT) {
            throw new RmFault(RmError.DENIED);
        }
        int rights = parcel.rights(borrower.vmid());
        argument((flags & ParcelAccept.SANITISE_ON_RECLAIM) == 0 || (rights & AclEntry.W) != 0);
        validate((flags & ParcelAccept.VALIDATE_SANITISED) == 0 || parcel.isSanitised());
        validate((flags & ParcelAccept.VALIDATE_LABEL) == 0 || parcel.label() == request.label());
        validate((flags & ParcelAccept.VALIDATE_ACL) == 0 || parcel.acl().equals(request.acl())
                && new HashSet<>(parcel.attributes()).equals(new HashSet<>(request.attributes())));
    }

    private static void reserve(ParcelSpace space, MemParcel parcel, Acceptance acceptance, ParcelAccept request) {
        List<MemRange> wanted = wanted(parcel, acceptance, request);
        for (int i = 0; i < wanted.size(); i++) {
            MemRange range = wanted.get(i);
            if (request.ranges().isEmpty()) {
                long alignment = range.size() >= LARGE_PAGE ? LARGE_PAGE : PhysRange.PAGE;
                acceptance.ipas.add(new MemRange(space.free().takeFirst(range.size(), alignment), range.size()));
            } else {
                MemRange given = request.ranges().get(i);
                argument(given.size() == range.size() && (given.base() & PhysRange.PAGE - 1) == 0);
                space.free().take(given.base(), given.size());
                acceptance.ipas.add(given);
            }
        }
    }

    // Regions the borrower has no address for yet: as many as the request names, or all.
    private static List<MemRange> wanted(MemParcel parcel, Acceptance acceptance, ParcelAccept request) {
        List<MemRange> open = new ArrayList<>();
        if ((request.flags() & ParcelAccept.CONTIGUOUS) != 0) {
            argument(request.ranges().size() <= 1);
            if (acceptance.ipas.isEmpty()) {
                open.add(new MemRange(0, parcel.size()));
            }
        } else {
            parcel.regions().stream().skip(acceptance.ipas.size()).forEach(r -> open.add(new MemRange(0, r.size())));
        }
        if (request.ranges().isEmpty()) {
            return open;
        }
        argument(request.ranges().size() <= open.size());
        return open.subList(0, request.ranges().size());
    }

    private void map(ParcelVm borrower, ParcelSpace space, MemParcel parcel, Acceptance acceptance) {
        long reserved = acceptance.ipas.stream().mapToLong(MemRange::size).sum();
        argument(reserved == parcel.size());
        int attributes = MemParcels.attributes(parcel.rights(borrower.vmid()));
        int done = 0;
        try {
            for (; done < parcel.regions().size(); done++) {
                PhysRange region = parcel.regions().get(done);
                hypercalls.map(space.addrspace(), parcel.extent(), ipaOf(parcel, acceptance, done), attributes, 0,
                        region.base(), region.size());
            }
            acceptance.mapped = true;
        } catch (HypFault fault) {
            unmap(space, parcel, acceptance, done);
            throw fault;
        }
    }

    private void unmap(ParcelSpace space, MemParcel parcel, Acceptance acceptance, int regions) {
        for (int i = regions - 1; i >= 0; i--) {
            PhysRange region = parcel.regions().get(i);
            hypercalls.unmap(space.addrspace(), parcel.extent(), ipaOf(parcel, acceptance, i), 0, region.base(),
                    region.size());
        }
    }

    private static long ipaOf(MemParcel parcel, Acceptance acceptance, int region) {
        if (acceptance.ipas.size() == parcel.regions().size()) {
            return acceptance.ipas.get(region).base();
        }
        return acceptance.ipas.getFirst().base()
                + parcel.regions().stream().limit(region).mapToLong(PhysRange::size).sum();
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
        argument(!sanitise || (parcel.rights(borrower.vmid()) & AclEntry.W) != 0);
        drop(borrower, parcel);
        if (sanitise) {
            parcel.sanitiseOnReclaim();
        }
    }

    private void lose(ParcelVm borrower, MemParcel parcel) {
        if (parcel.acceptance(borrower.vmid()) != null) {
            drop(borrower, parcel);
            onReset.accept(parcel, borrower.vmid());
        }
    }

    private void drop(ParcelVm borrower, MemParcel parcel) {
        Acceptance acceptance = parcel.acceptance(borrower.vmid());
        ParcelSpace space = borrower.parcelSpace().orElseThrow();
        if (acceptance.mapped) {
            unmap(space, parcel, acceptance, parcel.regions().size());
        }
        acceptance.ipas.forEach(range -> space.free().giveBack(range.base()));
        parcel.released(borrower.vmid());
    }

    private static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }

    private static void validate(boolean equal) {
        if (!equal) {
            throw new RmFault(RmError.VALIDATE_FAILED);
        }
    }
}
