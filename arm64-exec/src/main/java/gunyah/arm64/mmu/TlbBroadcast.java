package gunyah.arm64.mmu;

/**
 * Sends a TLB maintenance operation to the other CPUs of the inner shareable domain, which apply it with
 * {@link Mmu#invalidate}. The operation may complete later; DSB waits for it. Called on the vCPU's thread.
 */
@FunctionalInterface
public interface TlbBroadcast {
    /** A domain of one CPU. */
    TlbBroadcast NONE = (op, operand) -> {
    };

    /**
     * @param op      {@link Mmu#TLBI_ALL}, {@link Mmu#TLBI_VA}, {@link Mmu#TLBI_ASID}, {@link Mmu#TLBI_VA_ALL_ASID}
     *                or {@link Mmu#TLBI_RANGE}
     * @param operand the instruction's operand: ASID in bits 63:48, VA bits 55:12 in bits 43:0, or a range there
     */
    void broadcast(long op, long operand);
}
