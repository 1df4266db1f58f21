/**
 * Virtual power management: groups of vCPUs, and the PSCI firmware interface on top of them. Called on vCPU threads;
 * a group's lock is a leaf. Entry types {@link gunyah.hyp.vpm.VpmGroup} and {@link gunyah.hyp.vpm.Psci}. Sources:
 * Gunyah hyp/vm/psci, hyp/vm/psci_pc; Arm DEN0022 (PSCI 1.1).
 */
package gunyah.hyp.vpm;
