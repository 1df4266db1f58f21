package gunyah.rm.memparcel;

import gunyah.rm.memparcel.MemParcel.State;
import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelEvent;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelShared;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireWriter;
import java.util.List;

/** The memory parcel requests: from payload to operation to reply (memparcel.c). */
public final class ParcelServices {
    private static final int MAX_ENTRIES = ParcelCreate.MAX_RANGES;

    private final MemParcels parcels;
    private final ParcelBorrowing borrowing;
    private final Teller teller;

    /** Sends a notification to a VM. */
    @FunctionalInterface
    public interface Teller {
        void tell(int vmid, MessageId id, Payload payload);
    }

    public ParcelServices(MemParcels parcels, ParcelBorrowing borrowing, Teller teller) {
        this.parcels = parcels;
        this.borrowing = borrowing;
        this.teller = teller;
    }

    /** MEM_LEND and MEM_SHARE. */
    public Reply create(ParcelVm caller, ParcelTransfer transfer, byte[] payload) {
        return Reply.ofWord(parcels.create(caller, transfer, ParcelCreate.decode(payload)).handle());
    }

    /** MEM_APPEND. */
    public Reply append(ParcelVm caller, byte[] payload) {
        ParcelAppend request = ParcelAppend.decode(payload);
        parcels.append(caller, request.handle(), (request.flags() & ParcelAppend.LAST) != 0, request.ranges());
        return Reply.of(RmError.OK);
    }

    /** MEM_RECLAIM. */
    public Reply reclaim(ParcelVm caller, byte[] payload) {
        ParcelReturn request = ParcelReturn.decode(payload);
        parcels.reclaim(caller, request.handle(), request.flags());
        return Reply.of(RmError.OK);
    }

    /** MEM_ACCEPT. */
    public Reply accept(ParcelVm caller, byte[] payload) {
        ParcelAccept request = ParcelAccept.decode(payload);
        List<MemRange> chosen = borrowing.accept(caller, parcels.find(request.handle()), request);
        if (!request.ranges().isEmpty()) {
            return Reply.of(RmError.OK);
        }
        int count = Math.min(chosen.size(), MAX_ENTRIES);
        WireWriter writer = new WireWriter().u16(count).u8(chosen.size() > count ? 1 : 0).u8(0);
        chosen.subList(0, count).forEach(range -> writer.u64(range.base()).u64(range.size()));
        return Reply.of(writer.toBytes());
    }

    /** MEM_RELEASE. */
    public Reply release(ParcelVm caller, byte[] payload) {
        ParcelReturn request = ParcelReturn.decode(payload);
        borrowing.release(caller, parcels.find(request.handle()), request.flags());
        return Reply.of(RmError.OK);
    }

    /** MEM_NOTIFY. */
    public Reply notify(ParcelVm caller, byte[] payload) {
        ParcelNotify request = ParcelNotify.decode(payload);
        MemParcel parcel = parcels.find(request.handle());
        switch (request.flags()) {
            case ParcelNotify.SHARED -> shared(caller, parcel, request);
            case ParcelNotify.RECALL -> {
                checkTargets(caller, parcel, request);
                request.vmids().forEach(vmid -> teller.tell(vmid, MessageId.MEM_RECALL,
                        () -> new WireWriter().u32(parcel.handle()).u32(request.tag()).toBytes()));
            }
            case ParcelNotify.RELEASED, ParcelNotify.ACCEPTED -> borrowerNews(caller, parcel, request);
            default -> throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        return Reply.of(RmError.OK);
    }

    private void shared(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        checkTargets(caller, parcel, request);
        parcel.setTag(request.tag());
        List<Long> sizes = parcel.regions().stream().map(PhysRange::size).limit(MAX_ENTRIES).toList();
        ParcelShared news = new ParcelShared(parcel.handle(), ParcelCreate.NORMAL, parcel.transfer().ordinal(),
                parcel.isSanitised() ? 1 : 0, caller.vmid(), parcel.label(), request.tag(), parcel.acl(), sizes,
                parcel.attributes());
        request.vmids().forEach(vmid -> teller.tell(vmid, MessageId.MEM_SHARED, news));
    }

    private static void checkTargets(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        if (parcel.owner() != caller) {
            throw new RmFault(RmError.DENIED);
        }
        checkTag(parcel, request);
        boolean legal = !request.vmids().isEmpty() && request.vmids().size() <= parcel.acl().size()
                && request.vmids().stream().allMatch(parcel::names) && parcel.state() != State.INIT;
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }

    private static void checkTag(MemParcel parcel, ParcelNotify request) {
        if (parcel.tag().isPresent() && parcel.tag().getAsInt() != request.tag()) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }

    private void borrowerNews(ParcelVm caller, MemParcel parcel, ParcelNotify request) {
        if (!parcel.names(caller.vmid())) {
            throw new RmFault(RmError.VMID_INVALID);
        }
        checkTag(parcel, request);
        boolean accepted = parcel.acceptance(caller.vmid()) != null;
        boolean release = request.flags() == ParcelNotify.RELEASED;
        if (release == accepted) {
            throw new RmFault(release ? RmError.MEM_INUSE : RmError.MEM_RELEASED);
        }
        teller.tell(parcel.owner().vmid(), release ? MessageId.MEM_RELEASED : MessageId.MEM_ACCEPTED,
                new ParcelEvent(parcel.handle(), caller.vmid(), request.tag()));
    }
}
