/**
 * Memory parcels: how VMs lend and share memory through the Resource Manager (memparcel.c and mem_region.c of the
 * public one). A parcel is a memory extent of its own, a child of its owner's, so which VM can reach its pages follows
 * from extent ownership and not from bookkeeping here. {@link gunyah.rm.memparcel.MemParcels} is the registry and has
 * the operations; a VM takes part as a {@link gunyah.rm.memparcel.ParcelVm}. Belongs to the Resource Manager's actor.
 */
package gunyah.rm.memparcel;
