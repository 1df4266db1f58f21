/**
 * The virtual machine monitor: turns a {@code VmConfig} into a running guest through the host driver's API only.
 * {@link gunyah.vmm.Vmm} builds the machine (RAM, device tree, UART, clock), starts it and answers its MMIO exits on the
 * host CPUs' threads; {@link gunyah.vmm.RunningVm} is the guest as its user holds it. The address map is that of QEMU's
 * virt machine, so that firmware built for it works.
 */
package gunyah.vmm;
