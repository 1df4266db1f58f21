/**
 * The host driver: what the Linux series "Drivers for Gunyah hypervisor" v17 does between user space and Gunyah, as a
 * typed API. {@link gunyah.vmm.driver.HostKernel} is the Java operating system of the primary VM: its CPUs run proxy
 * scheduled vCPUs, its boot code probes {@link gunyah.vmm.driver.GunyahDevice} from the host device tree. Everything
 * that reaches the hypervisor goes through {@code HypercallPort}, everything that reaches the Resource Manager through
 * the two message queues. vCPUs run on the host CPUs' threads; VM life cycles and the RM link are actors.
 */
package gunyah.vmm.driver;
