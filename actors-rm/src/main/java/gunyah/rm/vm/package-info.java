/**
 * Virtual machines: their records, the objects made for them, and the services of their life: allocate, configure,
 * start, stop, reset. {@link gunyah.rm.vm.VmLifecycle} has one method per life-cycle request,
 * {@link gunyah.rm.vm.GuestBuilder} and {@link gunyah.rm.vm.PrimaryVm} make the objects. Belongs to the Resource
 * Manager's actor. Follows vm_mgnt.c, vm_creation.c, vm_config.c and hlos_vm.c of the public Resource Manager, and what
 * the Linux v17 driver expects beyond it.
 */
package gunyah.rm.vm;
