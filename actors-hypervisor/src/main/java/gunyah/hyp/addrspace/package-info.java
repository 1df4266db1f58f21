/**
 * Address spaces: {@link gunyah.hyp.addrspace.Addrspace} is the object, {@link gunyah.hyp.addrspace.AddrspaceActor} the
 * only writer of its stage-2 table, ranges and devices (on the caller's thread, one turn each), vCPU threads read
 * without locks. What is mapped where is decided in {@code gunyah.hyp.memextent}. Whoever removes rights gets a ticket
 * and waits for it outside every lock and turn. Source: Gunyah hyp/mem/addrspace.
 */
package gunyah.hyp.addrspace;
