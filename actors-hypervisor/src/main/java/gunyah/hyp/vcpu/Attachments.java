package gunyah.hyp.vcpu;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.StateText;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.vic.Vic;

/**
 * What one vCPU is attached to: capability space, address space, interrupt controller, VPM group. Made in INIT under the
 * vCPU's monitor, final from activation on; each holds a reference until {@link #drop}.
 */
final class Attachments {
    private static final long MPIDR_NO_VIC = 1L << 31 | 1L << 30;
    private static final int NO_INDEX = -1;

    private final Vcpu vcpu;
    private CSpace cspace;
    private Addrspace addrspace;
    private Vic vic;
    private int vicIndex = NO_INDEX;
    private long mpidr = MPIDR_NO_VIC;
    private volatile PowerGroup group;
    private int groupIndex = NO_INDEX;

    Attachments(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    void describe(StateText text) {
        text.put("cspace", cspace).put("addrspace", addrspace).put("vic", vic).put("vic.index", vicIndex);
        text.put("mpidr", mpidr).put("group", (KernelObject) group).put("group.index", groupIndex);
    }

    /** {@return whether it has all that a vCPU needs to run} */
    boolean complete() {
        return cspace != null && addrspace != null && vic != null;
    }

    HypError attach(CSpace newCspace) {
        if (!newCspace.retain()) {
            return HypError.OBJECT_STATE;
        }
        CSpace old = cspace;
        cspace = newCspace;
        if (old != null) {
            old.release();
        }
        return HypError.OK;
    }

    HypError attach(Addrspace newAddrspace) {
        if (!newAddrspace.retain()) {
            return HypError.OBJECT_STATE;
        }
        dropAddrspace();
        addrspace = newAddrspace;
        return HypError.OK;
    }

    HypError attach(Vic newVic, long index) {
        if (vic != null) {
            return HypError.BUSY;
        }
        if (index < 0 || index >= Vic.MAX_VCPUS || !newVic.retain()) {
            return HypError.ARGUMENT_INVALID;
        }
        HypError error = newVic.attach(vcpu, (int) index);
        if (error != HypError.OK) {
            newVic.release();
            return error;
        }
        vic = newVic;
        vicIndex = (int) index;
        return HypError.OK;
    }

    HypError join(PowerGroup newGroup, int index) {
        if (group != null) {
            return HypError.BUSY;
        }
        group = newGroup;
        groupIndex = index;
        return HypError.OK;
    }

    void drop() {
        PowerGroup left = group;
        if (left != null) {
            left.left(vcpu);
        }
        if (vic != null) {
            vic.detach(vicIndex);
            vic.release();
        }
        dropAddrspace();
        if (cspace != null) {
            cspace.release();
        }
    }

    private void dropAddrspace() {
        if (addrspace != null) {
            addrspace.detachThread();
            addrspace.release();
        }
    }

    CSpace cspace() {
        return cspace;
    }

    Addrspace addrspace() {
        return addrspace;
    }

    Vic vic() {
        return vic;
    }

    /** {@return index in its VM, as the VIC counts; 0 without one} */
    int index() {
        return Math.max(vicIndex, 0);
    }

    long mpidr() {
        return mpidr;
    }

    void mpidr(long value) {
        mpidr = value;
    }

    PowerGroup group() {
        return group;
    }

    int groupIndex() {
        return groupIndex;
    }
}
