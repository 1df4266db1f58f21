package gunyah.hyp.addrspace;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U16;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.any;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.ThreadObject;
import gunyah.memory.PhysicalMemory;
import java.util.List;

/** Hypercalls on address spaces that do not map memory (Gunyah hyp/interfaces/addrspace). */
public final class AddrspaceCalls {
    private static final long PAGE_OFFSET = PhysicalMemory.PAGE_SIZE - 1;
    private static final long VA_LIMIT = 1L << 48;
    private static final int LAST_RANGE_OP = 3;

    private AddrspaceCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x2A, "addrspace_attach_thread", 0, (caller, space, thread, x) ->
                        attachThread((Addrspace) space, (ThreadObject) thread),
                        active(ObjectType.ADDRSPACE, Rights.ADDRSPACE_ATTACH),
                        init(ObjectType.THREAD, Rights.OBJECT_ACTIVATE), RES0)
                        .inputs("addrspace", "thread")
                        .errors(HypError.NOMEM, HypError.OBJECT_STATE),
                HypercallRow.of(0x2E, "addrspace_configure", 0, (caller, space, none, x) ->
                        ((Addrspace) space).configure((int) x[1]),
                        init(ObjectType.ADDRSPACE, Rights.OBJECT_ACTIVATE), U16, RES0)
                        .inputs("addrspace", "vmid")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x2F, "addrspace_attach_vdma", 0,
                        (caller, space, none, x) -> HypError.CSPACE_WRONG_OBJECT_TYPE,
                        active(ObjectType.ADDRSPACE, Rights.ADDRSPACE_ATTACH), VALUE, VALUE, RES0)
                        .inputs("addrspace", "device", "index")
                        .errors(HypError.CSPACE_WRONG_OBJECT_TYPE).note("No object accesses memory by itself."),
                HypercallRow.of(0x60, "addrspace_configure_vmmio", 0, (caller, space, none, x) ->
                        configureRange((Addrspace) space, x[1], x[2], x[3]),
                        any(ObjectType.ADDRSPACE, Rights.ADDRSPACE_ADD_VMMIO_RANGE), VALUE, VALUE, VALUE, RES0)
                        .inputs("addrspace", "vbase", "size", "op")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_SIZE, HypError.ARGUMENT_ALIGNMENT,
                                HypError.ADDR_OVERFLOW, HypError.ADDR_INVALID, HypError.BUSY, HypError.NORESOURCES),
                HypercallRow.of(0x62, "addrspace_attach_vdevice", 0, (caller, space, device, x) ->
                        attachVdevice((Addrspace) space, device, x),
                        active(ObjectType.ADDRSPACE, Rights.ADDRSPACE_MAP),
                        active(ObjectType.VIC, Rights.VIC_ATTACH_VDEVICE), VALUE, VALUE, VALUE, VALUE)
                        .inputs("addrspace", "vdevice", "index", "vbase", "size", "flags")
                        .errors(HypError.ARGUMENT_INVALID, HypError.ARGUMENT_SIZE, HypError.ARGUMENT_ALIGNMENT,
                                HypError.ADDR_INVALID, HypError.BUSY, HypError.IDLE));
    }

    private static HypError attachThread(Addrspace space, ThreadObject thread) {
        HypError room = space.attachThread();
        if (room != HypError.OK) {
            return room;
        }
        HypError attached = thread.attachAddrspace(space);
        if (attached != HypError.OK) {
            space.detachThread();
        }
        return attached;
    }

    private static HypError configureRange(Addrspace space, long ipa, long size, long op) {
        if (op < 0 || op > LAST_RANGE_OP) {
            return HypError.ARGUMENT_INVALID;
        }
        if (size == 0) {
            return HypError.ARGUMENT_SIZE;
        }
        if (((ipa | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (Long.compareUnsigned(ipa + size, ipa) < 0) {
            return HypError.ADDR_OVERFLOW;
        }
        if (Long.compareUnsigned(ipa + size, VA_LIMIT) > 0) {
            return HypError.ADDR_INVALID;
        }
        return space.configureRange(ipa, size, (int) op);
    }

    private static HypError attachVdevice(Addrspace space, KernelObject device, long[] x) {
        long base = x[3];
        long size = x[4];
        if (size == 0) {
            return HypError.ARGUMENT_SIZE;
        }
        if (((base | size) & PAGE_OFFSET) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (base < 0 || size < 0 || base > VA_LIMIT - size) {
            return HypError.ADDR_INVALID;
        }
        return ((VdeviceSource) device).attachVdevice(space, x[2], base, size, x[5]);
    }
}
