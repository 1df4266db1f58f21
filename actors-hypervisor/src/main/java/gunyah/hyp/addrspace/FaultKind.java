package gunyah.hyp.addrspace;

/** What lies behind an IPA whose access missed stage 2 (Gunyah hyp/mem/addrspace vmmio). */
public enum FaultKind {
    /** A device of the hypervisor: {@link Addrspace#vdevice} has it. */
    VDEVICE,
    /** Meanwhile mapped with the wanted rights: retry. */
    MAPPED,
    /** Wholly inside one VMMIO range: a proxy-scheduled vCPU exits with it. */
    VMMIO,
    /** Inside a PRIVATE range: a page fault for the host. */
    PRIVATE,
    /** Nothing: abort. */
    NONE
}
