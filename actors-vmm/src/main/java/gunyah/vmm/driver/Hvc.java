package gunyah.vmm.driver;

import gunyah.hyp.HypercallPort;

/**
 * The hypercalls the driver issues, in the SMCCC form Linux uses (arch/arm64/gunyah/gunyah_hypercall.c): function id in
 * X0, arguments from X1 on, reserved arguments zero. Results stay in {@link #x}. One instance per thread: the register
 * array is reused.
 */
final class Hvc {
    static final long UID_QUERY = 0x8600FF01L;
    static final long IDENTIFY = 0xC6008000L;
    static final long BELL_SEND = 0xC6008012L;
    static final long BELL_SET_MASK = 0xC6008015L;
    static final long MSGQ_SEND = 0xC600801BL;
    static final long MSGQ_RECV = 0xC600801CL;
    static final long ADDRSPACE_MAP = 0xC600802BL;
    static final long ADDRSPACE_UNMAP = 0xC600802CL;
    static final long MEMEXTENT_DONATE = 0xC6008061L;
    static final long VCPU_RUN = 0xC6008065L;
    static final long PSCI_CPU_ON = 0xC4000003L;

    static final long MSGQ_TX_PUSH = 1;
    static final long DONATE_TO_SIBLING = 2;
    static final long DONATE_TO_PROTECTED = 3;
    static final long DONATE_FROM_PROTECTED = 4;
    static final long MAP_PARTIAL = 1;
    static final long MAP_PRIVATE = 1 << 1;
    static final long MAP_VMMIO = 1 << 2;
    static final long MAP_NOSYNC = 1L << 31;
    static final long MEMTYPE_NORMAL_WB = 0xFL << 16;

    /** Registers: results of the last call. */
    final long[] x = new long[18];
    private final HypercallPort port;

    Hvc(HypercallPort port) {
        this.port = port;
    }

    private long call(long function, long x1, long x2, long x3, long x4, long x5, long x6, long x7, long x8) {
        x[0] = function;
        x[1] = x1;
        x[2] = x2;
        x[3] = x3;
        x[4] = x4;
        x[5] = x5;
        x[6] = x6;
        x[7] = x7;
        x[8] = x8;
        port.smccc(x);
        return x[0];
    }

    /** Asks for the identity of the hypervisor: words in X0..X3. */
    void uid() {
        call(UID_QUERY, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** {@return api_info}; feature flags in X1..X3. */
    long identify() {
        return call(IDENTIFY, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** {@return the error}; old flags in X1. */
    long bellSend(long cap, long flags) {
        return call(BELL_SEND, cap, flags, 0, 0, 0, 0, 0, 0);
    }

    long bellSetMask(long cap, long enable, long ack) {
        return call(BELL_SET_MASK, cap, enable, ack, 0, 0, 0, 0, 0);
    }

    /** {@return the error}; X1 tells whether another message may follow at once. */
    long msgqSend(long cap, long size, long buffer, long flags) {
        return call(MSGQ_SEND, cap, size, buffer, flags, 0, 0, 0, 0);
    }

    /** {@return the error}; X1 the size, X2 whether another message waits. */
    long msgqRecv(long cap, long buffer, long size) {
        return call(MSGQ_RECV, cap, buffer, size, 0, 0, 0, 0, 0);
    }

    long addrspaceMap(long addrspace, long extent, long base, long attributes, long flags, long offset, long size) {
        return call(ADDRSPACE_MAP, addrspace, extent, base, attributes, flags, offset, size, 0);
    }

    long addrspaceUnmap(long addrspace, long extent, long base, long flags, long offset, long size) {
        return call(ADDRSPACE_UNMAP, addrspace, extent, base, flags, offset, size, 0, 0);
    }

    long memextentDonate(long options, long from, long to, long offset, long size) {
        return call(MEMEXTENT_DONATE, options, from, to, offset, size, 0, 0, 0);
    }

    /** {@return the error}; X1 the state, X2..X4 its data. */
    long vcpuRun(long cap, long resume1, long resume2, long resume3) {
        return call(VCPU_RUN, cap, resume1, resume2, resume3, 0, 0, 0, 0);
    }

    /** {@return the PSCI result} */
    long cpuOn(long mpidr, long entry, long context) {
        return call(PSCI_CPU_ON, mpidr, entry, context, 0, 0, 0, 0, 0);
    }
}
