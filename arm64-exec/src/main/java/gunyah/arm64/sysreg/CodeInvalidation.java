package gunyah.arm64.sysreg;

/**
 * Where instruction cache maintenance goes: everybody who may hold decoded or translated code of guest memory. Called
 * on the vCPU's thread; other CPUs see the effect after the DSB and ISB that the architecture asks the guest for.
 */
public interface CodeInvalidation {
    /** Nothing is ever cached. */
    CodeInvalidation NONE = new CodeInvalidation() {
        @Override
        public void invalidateCode(long hostLine) {
        }

        @Override
        public void invalidateAllCode() {
        }
    };

    /** IC IVAU: the 64-byte line at host address {@code hostLine} (64-byte aligned) may have changed. */
    void invalidateCode(long hostLine);

    /** IC IALLU, IC IALLUIS: anything may have changed. */
    void invalidateAllCode();
}
