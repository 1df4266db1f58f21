package gunyah.rm.memparcel;

import gunyah.rm.memparcel.MemParcel.State;
import gunyah.rm.memparcel.ParcelBorrowing.Accepted;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelEvent;
import gunyah.rm.rpc.ParcelLookup;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelRecall;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelShared;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireWriter;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** The memory parcel requests: from request to operation to reply (memparcel.c). */
public final class ParcelServices {
    private static final int MAX_ENTRIES = ParcelCreate.MAX_RANGES;

    private final MemParcels parcels;
    private final ParcelBorrowing borrowing;
    private final Teller teller;
    private final IntFunction<Optional<? extends ParcelVm>> waiting;

    /** Sends a notification to a VM. */
    @FunctionalInterface
    public interface Teller {
        void tell(int vmid, MessageId id, Payload payload);
    }

    /** @param waiting the VM of an id if it is ready to start and so cannot accept itself */
    public ParcelServices(MemParcels parcels, ParcelBorrowing borrowing, Teller teller,
            IntFunction<Optional<? extends ParcelVm>> waiting) {
        this.parcels = parcels;
        this.borrowing = borrowing;
        this.teller = teller;
        this.waiting = waiting;
    }

    /** MEM_DONATE, MEM_LEND and MEM_SHARE. */
    public Reply create(ParcelVm caller, ParcelTransfer transfer, ParcelCreate request) {
        return Reply.ofWord(parcels.create(caller, transfer, request).handle());
    }

    /** MEM_APPEND. */
    public Reply append(ParcelVm caller, ParcelAppend request) {
        parcels.append(caller, request.handle(), (request.flags() & ParcelAppend.LAST) != 0, request.ranges());
        return Reply.of(RmError.OK);
    }

    /** MEM_RECLAIM. */
    public Reply reclaim(ParcelVm caller, ParcelReturn request) {
        parcels.reclaim(caller, request.handle(), request.flags());
        return Reply.of(RmError.OK);
    }

    /** MEM_ACCEPT. */
    public Reply accept(ParcelVm caller, ParcelAccept request) {
        Accepted result = borrowing.accept(caller, parcels.find(request.handle()), request);
        if (!request.ranges().isEmpty()) {
            return Reply.of(RmError.OK);
        }
        WireWriter writer = new WireWriter().u16(result.ranges().size()).u8(result.incomplete() ? 1 : 0).u8(0);
        result.ranges().forEach(range -> writer.u64(range.base()).u64(range.size()));
        return Reply.of(writer.toBytes());
    }

    /** MEM_RELEASE. */
    public Reply release(ParcelVm caller, ParcelReturn request) {
        borrowing.release(caller, parcels.find(request.handle()), request.flags());
        return Reply.of(RmError.OK);
    }

    /** MEM_QCOM_LOOKUP_SGL. */
    public Reply lookup(ParcelVm caller, ParcelLookup request) {
        return Reply.ofWord(parcels.lookup(caller, request).handle());
    }

    /** MEM_NOTIFY. */
    public Reply notify(ParcelVm caller, ParcelNotify request) {
        MemParcel parcel = parcels.find(request.handle());
        switch (request.flags()) {
            case ParcelNotify.SHARED -> shared(caller, parcel, request);
            case ParcelNotify.RECALL -> {
                checkTargets(caller, parcel, request);
                request.vmids().forEach(vmid -> teller.tell(vmid, MessageId.MEM_RECALL,
                        new ParcelRecall(parcel.handle(), request.tag())));
            }
            case ParcelNotify.RELEASED, ParcelNotify.ACCEPTED -> borrowerNews(caller, parcel, request);
            default -> throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        return Reply.of(RmError.OK);
    }

    private void shared(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        checkTargets(caller, parcel, request);
        parcel.setTag(request.tag());
        List<Long> sizes = parcel.regions().stream().map(Region::size).limit(MAX_ENTRIES).toList();
        ParcelShared news = new ParcelShared(parcel.handle(), parcel.memType(), parcel.transfer().ordinal(),
                parcel.isSanitised() ? 1 : 0, caller.vmid(), parcel.label(), request.tag(), parcel.acl(), sizes,
                parcel.attributes());
        for (int vmid : request.vmids()) {
            Optional<? extends ParcelVm> ready = waiting.apply(vmid);
            if (ready.isEmpty()) {
                teller.tell(vmid, MessageId.MEM_SHARED, news);
            } else {
                boolean accepted = acceptFor(ready.get(), parcel);
                teller.tell(caller.vmid(), accepted ? MessageId.MEM_ACCEPTED : MessageId.MEM_RELEASED,
                        new ParcelEvent(parcel.handle(), vmid, request.tag()));
            }
        }
    }

    private boolean acceptFor(ParcelVm borrower, MemParcel parcel) {
        try {
            borrowing.acceptWhole(borrower, parcel, acceptance(borrower, parcel, 0, List.of()));
            return true;
        } catch (RmFault refused) {
            return parcel.isAcceptedBy(borrower.vmid());
        }
    }

    /**
     * {@return the request by which the Resource Manager accepts a parcel for a VM, mapped at once}
     *
     * @param flags  more of {@link ParcelAccept}
     * @param ranges where; none: anywhere
     */
    public static ParcelAccept acceptance(ParcelVm borrower, MemParcel parcel, int flags,
            List<MemRange> ranges) {
        int sanitise = hides(borrower, parcel) ? ParcelAccept.SANITISE_ON_RECLAIM : 0;
        return new ParcelAccept(parcel.handle(), parcel.memType(), parcel.transfer().ordinal(),
                flags | ParcelAccept.DONE | sanitise, 0, List.of(), ranges, 0, List.of());
    }

    // What a sensitive VM may have written is not to be seen by an owner who cannot see it now, or who asks for this.
    private static boolean hides(ParcelVm borrower, MemParcel parcel) {
        boolean writes = !parcel.isIo() && (parcel.rights(borrower.vmid()) & AclEntry.W) != 0;
        boolean ownerReads = parcel.transfer() == ParcelTransfer.SHARE;
        return borrower.isSensitive() && writes && (!ownerReads || parcel.owner().isSensitive());
    }

    private static void checkTargets(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        if (parcel.owner() != caller) {
            throw new RmFault(RmError.DENIED);
        }
        checkTag(parcel, request);
        boolean legal = !request.vmids().isEmpty() && request.vmids().size() <= parcel.acl().size()
                && request.vmids().stream().allMatch(parcel::names) && parcel.state() != State.INIT;
        ParcelRules.argument(legal);
    }

    private static void checkTag(MemParcel parcel, ParcelNotify request) {
        ParcelRules.argument(parcel.tag().isEmpty() || parcel.tag().getAsInt() == request.tag());
    }

    private void borrowerNews(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        if (!parcel.names(caller.vmid())) {
            throw new RmFault(RmError.VMID_INVALID);
        }
        checkTag(parcel, request);
        boolean accepted = parcel.isAcceptedBy(caller.vmid());
        boolean release = request.flags() == ParcelNotify.RELEASED;
        if (release == accepted) {
            throw new RmFault(release ? RmError.MEM_INUSE : RmError.MEM_RELEASED);
        }
        teller.tell(parcel.owner().vmid(), release ? MessageId.MEM_RELEASED : MessageId.MEM_ACCEPTED,
                new ParcelEvent(parcel.handle(), caller.vmid(), request.tag()));
    }
}
