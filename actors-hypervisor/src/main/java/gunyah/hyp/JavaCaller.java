package gunyah.hyp;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;

/**
 * The caller of a VM that runs Java: stage 1 is off, so its virtual addresses are IPAs.
 *
 * @param cspace    capabilities of the VM
 * @param addrspace memory of the VM
 * @param thread    the calling vCPU, null for a worker outside the vCPUs
 */
public record JavaCaller(CSpace cspace, Addrspace addrspace, ThreadObject thread) implements Caller {
    @Override
    public HypError copyIn(long va, byte[] target, int length) {
        return addrspace.view().tryRead(va, target, 0, length);
    }

    @Override
    public HypError copyOut(long va, byte[] source, int length) {
        return addrspace.view().tryWrite(va, source, 0, length);
    }
}
