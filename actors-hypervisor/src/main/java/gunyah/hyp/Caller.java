package gunyah.hyp;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;

/**
 * Who makes a hypercall: the VM side of a vCPU, executing A64 code or Java. The copy methods are called during the
 * caller's own hypercall only, but maybe on another thread: a message queue copies in its actor's turn while the
 * caller waits. The hand-over is ordered (happens-before both ways); implementations must not block.
 */
public interface Caller {
    CSpace cspace();

    Addrspace addrspace();

    /**
     * The calling thread object. Null for calls a Java VM makes outside its vCPUs (a driver's worker thread); such
     * callers cannot yield or run vCPUs.
     */
    ThreadObject thread();

    /**
     * Copies from the caller's virtual address space with EL1 rights.
     *
     * @return OK; ARGUMENT_INVALID (stage 1 fault), DENIED (stage 2 permission), ADDR_INVALID (stage 2 unmapped),
     *     ADDR_OVERFLOW (the range wraps); nothing was copied unless OK
     */
    HypError copyIn(long va, byte[] target, int length);

    /** Copies to the caller's virtual address space; as {@link #copyIn}. */
    HypError copyOut(long va, byte[] source, int length);
}
