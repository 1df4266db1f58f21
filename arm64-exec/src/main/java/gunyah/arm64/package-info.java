/**
 * The CPU library: {@link gunyah.arm64.Cpu} executes A64 code at EL0 and EL1 on the calling thread until its owner is
 * needed; {@link gunyah.arm64.InnerShareable} ties the CPUs of one VM together. No devices, no hypercalls, no threads of
 * its own. Source: Arm ARM DDI 0487.
 */
package gunyah.arm64;
