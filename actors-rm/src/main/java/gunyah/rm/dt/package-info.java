/**
 * Device trees as the Resource Manager reads and writes them. In: {@link gunyah.rm.dt.GuestConfigParser} turns a
 * guest's tree into a {@link gunyah.rm.dt.GuestConfig} (vm_config_parser.c). Out: {@link gunyah.rm.dt.GuestOverlay}
 * adds what the guest must find (dto_construct.c, vm_creation.c), {@link gunyah.rm.dt.HostTree} makes the primary VM's
 * tree. Pure functions over {@link gunyah.config.fdt.Fdt}.
 */
package gunyah.rm.dt;
