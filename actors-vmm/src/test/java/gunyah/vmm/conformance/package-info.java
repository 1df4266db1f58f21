/**
 * The driver's conformance scenarios, by number, against the real hypervisor and Resource Manager: a C-like client that
 * knows descriptors, numbers and structures only, and a guest that does what a test tells it.
 */
package gunyah.vmm.conformance;
