/**
 * The hypervisor's API: error codes, object types and rights, the hypercall table, and what a VM whose vCPUs run Java
 * instead of A64 code (the Resource Manager, the Java host) sees of it. Objects live in the packages below, one kind
 * each. Source: the public Gunyah hypervisor's interface files; sections cited per type.
 */
package gunyah.hyp;
