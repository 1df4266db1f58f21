package gunyah.vmm;

import gunyah.vmm.driver.Uapi;

/**
 * How a guest ended.
 *
 * @param kind     what happened
 * @param exitType raw exit type of the Resource Manager; -1 when it never told one
 * @param reason   for people
 */
public record VmExit(Kind kind, int exitType, String reason) {
    /** What became of it. */
    public enum Kind {
        /** It turned itself off. */
        POWERED_OFF,
        /** It asked for a reset. */
        RESET,
        /** It, or what carries it, failed. */
        CRASHED,
        /** It was stopped from outside. */
        STOPPED
    }

    static VmExit of(int exitType, long reasonWord) {
        return switch (exitType) {
            case Uapi.EXIT_TYPE_VM_EXIT -> new VmExit(Kind.POWERED_OFF, exitType,
                    "exited with code %d".formatted(reasonWord >>> 16 & 0xffff));
            case Uapi.EXIT_TYPE_PSCI_OFF -> new VmExit(Kind.POWERED_OFF, exitType, "powered off");
            case Uapi.EXIT_TYPE_PSCI_RESET -> new VmExit(Kind.RESET, exitType, "asked for a reset");
            case Uapi.EXIT_TYPE_PSCI_RESET2 -> new VmExit(Kind.RESET, exitType, "asked for a vendor-specific reset");
            case Uapi.EXIT_TYPE_WATCHDOG -> new VmExit(Kind.CRASHED, exitType, "its watchdog expired");
            case Uapi.EXIT_TYPE_HYP_ERROR -> new VmExit(Kind.CRASHED, exitType, "a vCPU faulted beyond recovery");
            case Uapi.EXIT_TYPE_ASYNC_ABORT -> new VmExit(Kind.CRASHED, exitType, "asynchronous external abort");
            case Uapi.EXIT_TYPE_VM_FORCE_STOPPED -> new VmExit(Kind.STOPPED, exitType, "stopped by its host");
            default -> new VmExit(Kind.CRASHED, exitType, "ended with unknown exit type " + exitType);
        };
    }
}
