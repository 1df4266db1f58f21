package gunyah.hyp.vcpu;

/** The option flags of vcpu_configure (Gunyah vcpu_option_flags). Features we do not have may be asked for, not got. */
record VcpuOptions(long bits) {
    static final VcpuOptions NONE = new VcpuOptions(0);
    static final long MIN_TIMESLICE_NS = 100_000;
    static final long MAX_TIMESLICE_NS = 100_000_000;

    private static final long PINNED = 1;
    private static final long CRITICAL = 1L << 8;
    private static final long VCPU_RUN_SCHEDULED = 1L << 9;
    private static final long HLOS_VM = 1L << 63;
    /** RAS error handler, AMU, SVE, debug, trace. */
    private static final long FEATURES = 0x3E;
    private static final long ALL = PINNED | FEATURES | CRITICAL | VCPU_RUN_SCHEDULED | HLOS_VM;

    /** What the root VM's vCPU has. */
    static final long ROOT = PINNED | CRITICAL | HLOS_VM;

    static boolean known(long bits) {
        return (bits & ~ALL) == 0;
    }

    boolean pinned() {
        return (bits & PINNED) != 0;
    }

    boolean critical() {
        return (bits & CRITICAL) != 0;
    }

    boolean proxyScheduled() {
        return (bits & VCPU_RUN_SCHEDULED) != 0;
    }

    boolean hlos() {
        return (bits & HLOS_VM) != 0;
    }

    VcpuOptions withProxyScheduling() {
        return new VcpuOptions(bits | VCPU_RUN_SCHEDULED);
    }
}
