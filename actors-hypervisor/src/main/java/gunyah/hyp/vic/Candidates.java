package gunyah.hyp.vic;

/**
 * The interrupts that compete for one vCPU, a bit per slot: enabled, pending, not active, routed to it. Whether their
 * group is enabled is looked at when one is chosen. Guarded by the controller's lock.
 */
final class Candidates {
    static final int NONE = -1;

    private final long[] words;
    private int count;

    Candidates(int slots) {
        words = new long[(slots + 63) / 64];
    }

    void set(int slot, boolean value) {
        long bit = 1L << slot;
        boolean before = (words[slot >> 6] & bit) != 0;
        if (before != value) {
            words[slot >> 6] ^= bit;
            count += value ? 1 : -1;
        }
    }

    /** {@return the slot of the most urgent one in an enabled group, of equals the lowest; {@link #NONE}} */
    int highest(CpuInterface cpu, boolean group0, boolean group1) {
        if (count == 0) {
            return NONE;
        }
        int best = NONE;
        int bestPriority = Priorities.IDLE + 1;
        for (int word = 0; word < words.length; word++) {
            for (long left = words[word]; left != 0; left &= left - 1) {
                int slot = (word << 6) + Long.numberOfTrailingZeros(left);
                int priority = cpu.priority(slot);
                if (priority < bestPriority && (cpu.isGroup1(slot) ? group1 : group0)) {
                    best = slot;
                    bestPriority = priority;
                }
            }
        }
        return best;
    }
}
