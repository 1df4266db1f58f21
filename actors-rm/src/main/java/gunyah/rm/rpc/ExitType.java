package gunyah.rm.rpc;

/** Why a VM stopped (vm_mgnt.h {@code exit_type_t}); the ordinal is the halfword on the wire. */
public enum ExitType {
    VM_EXIT, PLATFORM_OFF, PLATFORM_RESET, PSCI_SYSTEM_RESET2, WATCHDOG_BITE, SOFTWARE_ERROR, ASYNC_HW_ERROR,
    VM_STOP_FORCED
}
