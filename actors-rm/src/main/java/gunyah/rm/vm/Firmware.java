package gunyah.rm.vm;

import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.FirmwareImage;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.HashMap;
import java.util.Map;

/**
 * The firmware that VMs of an authentication type start with. The primary VM supplies it early, in a parcel lent to the
 * Resource Manager, and then says that no more comes; only after that it is trusted (vm_firmware.c). It is copied here, so
 * that nobody can change it later.
 */
public final class Firmware {
    private static final long MAX_SIZE = 16L << 20;

    private final MemParcels parcels;
    private final Map<Integer, byte[]> images = new HashMap<>();
    private boolean complete;

    public Firmware(MemParcels parcels) {
        this.parcels = parcels;
    }

    /** FW_MILESTONE. */
    public Reply milestone(Call<Nothing> call) {
        if (complete) {
            throw new RmFault(RmError.DENIED);
        }
        complete = true;
        return Reply.of(RmError.OK);
    }

    /** FW_SET_VM_FIRMWARE. */
    public Reply set(Call<FirmwareImage> call) {
        FirmwareImage request = call.request();
        if (complete) {
            throw new RmFault(RmError.DENIED);
        }
        if (images.containsKey(request.auth())) {
            throw new RmFault(RmError.BUSY);
        }
        MemParcel parcel = parcels.find(request.handle());
        if (parcel.owner() != call.caller()) {
            throw new RmFault(RmError.DENIED);
        }
        if (!parcel.names(Vm.RM)) {
            throw new RmFault(RmError.VMID_INVALID);
        }
        boolean legal = request.auth() == ConfigImage.AUTH_ANDROID && request.offset() == 0 && request.size() > 0
                && request.size() <= parcel.size() && parcel.state() != MemParcel.State.INIT;
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        if (request.size() > MAX_SIZE) {
            throw new RmFault(RmError.NOMEM);
        }
        images.put(request.auth(), parcels.read(parcel, 0, request.size()));
        return Reply.of(RmError.OK);
    }

    /** Throws what a VM of this authentication type is told that wants a place for firmware which there is not. */
    void checkOffered(int auth) {
        if (auth != ConfigImage.AUTH_ANDROID) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        if (!images.containsKey(auth)) {
            throw new RmFault(RmError.DENIED);
        }
    }

    /** {@return the firmware of this authentication type} Throws DENIED before the milestone, NORESOURCE without one. */
    byte[] image(int auth) {
        if (!complete) {
            throw new RmFault(RmError.DENIED);
        }
        byte[] image = images.get(auth);
        if (image == null) {
            throw new RmFault(RmError.NORESOURCE);
        }
        return image;
    }
}
