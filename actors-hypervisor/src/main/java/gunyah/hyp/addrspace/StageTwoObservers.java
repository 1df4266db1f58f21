package gunyah.hyp.addrspace;

/**
 * Everybody who may hold cached translations of one address space: its vCPUs. Implemented by the vCPU side and
 * registered with {@link Addrspace#observers}. An observer outside guest code counts as synced, because it compares
 * {@link gunyah.memory.Stage2Table#epoch} before it enters guest code again.
 */
public interface StageTwoObservers {
    /** An address space without vCPUs. */
    StageTwoObservers NONE = new StageTwoObservers() {
        @Override
        public void requestSync() {
        }

        @Override
        public boolean synced(int epoch) {
            return true;
        }
    };

    /** Asks every vCPU to drop stale translations soon. Called in the address space actor's turn: must not block. */
    void requestSync();

    /** {@return whether no vCPU can use a translation older than {@code epoch}} */
    boolean synced(int epoch);
}
