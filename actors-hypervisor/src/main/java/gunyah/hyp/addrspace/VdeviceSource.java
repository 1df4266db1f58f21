package gunyah.hyp.addrspace;

import gunyah.hyp.HypError;

/** A kernel object that addrspace_attach_vdevice can attach: the VIC, whose registers are the devices. */
public interface VdeviceSource {
    /**
     * Attaches a register block through {@link Addrspace#addVdevice}.
     *
     * @param index which block: 0 = GICD, n = GICR of vCPU n - 1
     * @return OK, BUSY (attached already), IDLE (no such vCPU), ARGUMENT_INVALID, ARGUMENT_SIZE
     */
    HypError attachVdevice(Addrspace addrspace, long index, long base, long size, long flags);
}
