/**
 * What a vCPU's system instructions do: the table of registers ({@link gunyah.arm64.sysreg.SystemRegister}) and of SYS
 * operations ({@link gunyah.arm64.sysreg.SystemOperation}), their state and effects
 * ({@link gunyah.arm64.sysreg.SystemRegisters}, the entry type), the identity a guest reads
 * ({@link gunyah.arm64.sysreg.IdRegisters}), exception entry and return ({@link gunyah.arm64.sysreg.Exceptions}) and the
 * EL1 timers ({@link gunyah.arm64.sysreg.GenericTimers}). All of it belongs to the vCPU's thread. Source: Arm ARM DDI
 * 0487, C5, D1, D12 and D17.
 */
package gunyah.arm64.sysreg;
