package gunyah.rm.memparcel;

import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.List;
import java.util.function.IntPredicate;

/** What a request to make or to extend a parcel must look like, whoever sends it (memparcel.c). */
final class ParcelRules {
    static final long ADDRESS_LIMIT = 1L << 44;
    private static final int ALL = AclEntry.R | AclEntry.W | AclEntry.X;

    private final IntPredicate vmExists;

    ParcelRules(IntPredicate vmExists) {
        this.vmExists = vmExists;
    }

    void checkCreate(int ownerVmid, ParcelTransfer transfer, ParcelCreate request) {
        boolean io = request.memType() == ParcelCreate.IO;
        argument(io || request.memType() == ParcelCreate.NORMAL);
        argument(!io || (request.flags() & ParcelCreate.SANITISE) == 0);
        checkAcl(ownerVmid, transfer, request.acl(), io);
        checkAttributes(request, io);
        checkRanges(request.ranges());
    }

    private void checkAcl(int ownerVmid, ParcelTransfer transfer, List<AclEntry> acl, boolean io) {
        argument(!acl.isEmpty() && acl.stream().allMatch(AclEntry::isLegal));
        argument(!io || acl.stream().noneMatch(entry -> (entry.rights() & AclEntry.X) != 0));
        argument(acl.stream().map(AclEntry::vmid).distinct().count() == acl.size());
        argument(acl.stream().allMatch(entry -> vmExists.test(entry.vmid())));
        boolean namesOwner = acl.stream().anyMatch(entry -> entry.vmid() == ownerVmid);
        argument(namesOwner == (transfer == ParcelTransfer.SHARE));
        if (transfer == ParcelTransfer.DONATE) {
            argument(acl.size() == 1);
            if (acl.getFirst().rights() != (io ? ALL & ~AclEntry.X : ALL)) {
                throw new RmFault(RmError.DENIED);
            }
        }
    }

    private static void checkAttributes(ParcelCreate request, boolean io) {
        List<MemAttribute> attributes = request.attributes();
        for (MemAttribute attribute : attributes) {
            argument(attribute.attribute() <= MemAttribute.CACHED);
            argument(!io || attribute.attribute() == MemAttribute.DEVICE);
            if (request.acl().stream().noneMatch(entry -> entry.vmid() == attribute.vmid())) {
                throw new RmFault(RmError.VMID_INVALID);
            }
        }
        argument(attributes.stream().map(MemAttribute::vmid).distinct().count() == attributes.size());
    }

    static void checkRanges(List<MemRange> ranges) {
        argument(!ranges.isEmpty());
        for (MemRange range : ranges) {
            argument(((range.base() | range.size()) & PhysRange.PAGE - 1) == 0);
            argument(range.base() >= 0 && range.base() < ADDRESS_LIMIT);
            argument(range.size() > 0 && range.size() <= ADDRESS_LIMIT - range.base());
        }
    }

    static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }
}
