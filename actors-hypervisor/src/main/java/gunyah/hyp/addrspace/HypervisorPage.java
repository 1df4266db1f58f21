package gunyah.hyp.addrspace;

import gunyah.hyp.HypError;

/** Memory that the hypervisor may keep as its own beside what VMs do with it; implemented by the memory extent. */
public interface HypervisorPage {
    /** {@return OK, DENIED without read and write access, BUSY when it is attached or has given memory to a child} */
    HypError attach();

    /** Takes {@link #attach} back. */
    void detach();

    /** Zeroes all of it. */
    void clear();

    boolean retain();

    void release();
}
