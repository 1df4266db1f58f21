/**
 * The typed way to use the whole system: {@link gunyah.runtime.GunyahSystem} starts a machine, creates VMs and closes
 * it; {@link gunyah.runtime.Vm} is one guest's console, exit and statistics. The command line, tests and load scenarios
 * use nothing else. No static state: several systems live in one JVM. Source: design, sections 2 and 3.
 */
package gunyah.runtime;
