package gunyah.hyp;

import java.util.function.IntConsumer;

/**
 * The hypervisor as a VM sees it whose vCPUs run Java: the Resource Manager and the Java host. Everything such a VM
 * does goes through here, and through the same table and checks as a guest's HVC. Thread safe unless said otherwise.
 */
public interface HypercallPort {
    /**
     * Makes a hypercall by the native convention (Gunyah API "AArch64 HVC ABI").
     *
     * @param number call number, 0x00..0x1ff ({@code hvc #(0x6000 + number)})
     * @param x      eight registers: inputs X0.. in, results X0.. out (X0 = error); unused results are zeroed. VA
     *               arguments are IPAs of the calling VM, whose stage 1 is off
     */
    void call(int number, long[] x);

    /** Makes any SMCCC call: {@code x[0]} is the function id; at least eight registers, changed as SMCCC says. */
    void smccc(long[] x);

    /**
     * Reads the VM's memory through its own stage 2.
     *
     * @throws ExternalAbort when a page is not mapped readable, as real hardware would answer a host that touches
     *     memory it lent
     */
    void read(long ipa, byte[] target, int offset, int length);

    /** Writes the VM's memory; as {@link #read}. */
    void write(long ipa, byte[] source, int offset, int length);

    /**
     * Registers what runs when an interrupt becomes pending at the VM: called with the INTID on the asserting thread,
     * so it must only hand on. An interrupt counts as taken and ended by the call. Replaces the handler before.
     */
    void onInterrupt(IntConsumer handler);

    /** A synchronous external abort taken by Java code: the page belongs to somebody else now. */
    final class ExternalAbort extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final long ipa;

        public ExternalAbort(long ipa) {
            super("synchronous external abort at IPA 0x%x".formatted(ipa));
            this.ipa = ipa;
        }

        /** {@return the first address that could not be accessed} */
        public long ipa() {
            return ipa;
        }
    }
}
