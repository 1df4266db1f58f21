/**
 * Physical memory as it is handed out: extents own frames ({@link gunyah.hyp.memextent.MemExtent}), record where they
 * are mapped, and give frames to each other ({@link gunyah.hyp.memextent.Donation}). Source: Gunyah hyp/mem/memextent,
 * memextent_basic, memextent_sparse, memdb; Private and VMMIO mappings from the newer drop.
 *
 * <p>One lock, {@link gunyah.hyp.memextent.MemoryTree}, guards ownership and all records, because a donation changes
 * two extents and up to eight address spaces and must be seen whole; an actor per extent would need a commit protocol
 * between actors for every demand-paged page. Stage-2 tables are still written by their address space actors only: the
 * lock holder sends, the actor's turn runs on the same thread as a rule, and no actor ever takes the lock. Waiting for
 * vCPUs to drop stale translations happens outside the lock; frames under way belong to
 * {@link gunyah.hyp.IdSource#IN_TRANSIT} then, which nobody can map or donate.
 *
 * <p>Order: an object's own monitor (activation), the memory lock, an address space actor's turn. References are
 * released outside the lock.
 */
package gunyah.hyp.memextent;
