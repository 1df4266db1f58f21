package gunyah.runtime;

/**
 * How a VM ended.
 *
 * @param kind   the way
 * @param reason one line for people
 * @param report state of the vCPUs at a crash, several lines; empty otherwise
 */
public record VmOutcome(Kind kind, String reason, String report) {
    /** The ways a VM ends, with the name that statistics use. */
    public enum Kind {
        /** PSCI SYSTEM_OFF. */
        POWERED_OFF("off"),
        /** PSCI SYSTEM_RESET or SYSTEM_RESET2: the guest asked to start again. */
        RESET("reset"),
        /** A fault that nobody could answer, or a failure of the VM's own making. */
        CRASHED("crashed"),
        /** Ended from outside. */
        STOPPED("stopped");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }
}
