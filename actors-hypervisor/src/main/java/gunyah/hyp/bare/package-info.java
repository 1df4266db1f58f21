/**
 * A machine without Resource Manager and host driver, for load scenarios, benchmarks and tests: VMs made by the
 * hypercalls that the Resource Manager would make. Entry type {@link gunyah.hyp.bare.BareMachine}; used by one thread.
 */
package gunyah.hyp.bare;
