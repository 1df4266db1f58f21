package gunyah.hyp;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;

/**
 * The side of a thread (vCPU) that other objects' hypercalls need: what it is attached to. The vCPU package implements
 * the rest. Attachments are made in INIT only and hold references.
 */
public abstract class ThreadObject extends KernelObject {
    protected ThreadObject(int id) {
        super(ObjectType.THREAD, id);
    }

    /** {@return OK, or OBJECT_STATE when active; replaces an earlier attachment} */
    public abstract HypError attachCspace(CSpace cspace);

    /** {@return OK, or OBJECT_STATE when active; replaces an earlier attachment} */
    public abstract HypError attachAddrspace(Addrspace addrspace);
}
