/**
 * The Resource Manager as the root VM: the only ways out of it. {@link gunyah.rm.root.Hypercalls} makes typed
 * hypercalls by capability id, {@link gunyah.rm.root.MemoryWindow} maps other memory into its own address space for a
 * moment, {@link gunyah.rm.root.VirqPool} hands out interrupt lines. Everything here belongs to the Resource Manager's
 * actor. Follows guest_interface.c and irq_manager.c of the public Resource Manager.
 */
package gunyah.rm.root;
