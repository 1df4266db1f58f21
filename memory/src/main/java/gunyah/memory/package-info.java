/**
 * The physical memory of the machine and what is known about each of its frames.
 *
 * <p>{@link gunyah.memory.PhysicalMemory} is one reserved arena; {@link gunyah.memory.RawMemory} is the only class of
 * the project that touches raw addresses; {@link gunyah.memory.Stage2Table} is one address space's translation
 * (written by the address space's owner, read by vCPU threads without locks); {@link gunyah.memory.FrameOwners} is the
 * ownership database. No Akka, no policy.
 */
package gunyah.memory;
