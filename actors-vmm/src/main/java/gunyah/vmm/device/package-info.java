/**
 * Devices of the guest machine as register models: {@link gunyah.vmm.device.MmioBus} finds the
 * {@link gunyah.vmm.device.MmioDevice} of an address. They run on the host CPUs' threads and never block; each guards
 * itself. Follows the Arm PrimeCell manuals (PL011 DDI 0183, PL031 DDI 0224).
 */
package gunyah.vmm.device;
