package gunyah.hyp.vic;

import gunyah.hyp.StateText;
import gunyah.hyp.VirqSource;
import java.util.Arrays;

/**
 * State of a bank of interrupt lines: the private lines of one vCPU, or all shared ones. Index = position in the bank.
 * Guarded by the controller's lock.
 */
final class Lines {
    static final int ENABLED = 1;
    /** Group 1; clear means group 0. */
    static final int GROUP1 = 1 << 1;
    /** ICFGR: edge triggered. */
    static final int EDGE_CONFIG = 1 << 2;
    static final int ACTIVE = 1 << 3;
    /** A new edge since the interrupt was last acknowledged. */
    static final int EDGE = 1 << 4;
    /** The bound source holds its level. */
    static final int LEVEL_SOURCE = 1 << 5;
    /** ISPENDR was written on a level-triggered line. */
    static final int LEVEL_SOFTWARE = 1 << 6;
    /** GICD_SETSPI on a level-triggered line. */
    static final int LEVEL_MESSAGE = 1 << 7;

    /** Target of a line that goes to no vCPU. */
    static final int NOWHERE = -1;

    private static final int LEVELS = LEVEL_SOURCE | LEVEL_SOFTWARE | LEVEL_MESSAGE;

    final int count;
    final int[] bits;
    final byte[] priority;
    final VirqSource[] source;
    /** Index of the vCPU that the line goes to, or {@link #NOWHERE}. */
    final int[] target;
    /** Counts assertions, so that a check-pending answer is dropped when it is older than the last of them. */
    final int[] assertions;

    /** @param owner the vCPU that all lines belong to; NOWHERE for shared ones */
    Lines(int count, int owner) {
        this.count = count;
        bits = new int[count];
        priority = new byte[count];
        source = new VirqSource[count];
        assertions = new int[count];
        target = new int[count];
        Arrays.fill(target, owner);
    }

    /** Notes the lines that are not as after a reset. */
    void describe(StateText text) {
        for (int line = 0; line < count; line++) {
            if (bits[line] != 0 || priority[line] != 0 || source[line] != null) {
                text.put("line", line).put("  bits", bits[line]).put("  priority", priority[line] & 0xFF);
                text.put("  bound", source[line] != null);
            }
        }
    }

    boolean is(int line, int bit) {
        return (bits[line] & bit) != 0;
    }

    void set(int line, int bit, boolean value) {
        bits[line] = value ? bits[line] | bit : bits[line] & ~bit;
    }

    boolean pending(int line) {
        int state = bits[line];
        return (state & EDGE_CONFIG) != 0 ? (state & EDGE) != 0 : (state & LEVELS) != 0;
    }

    /** {@return whether the line competes for its vCPU} Its group's enables are looked at by the CPU interface. */
    boolean candidate(int line) {
        return (bits[line] & (ENABLED | ACTIVE)) == ENABLED && pending(line);
    }

    /** ICFGR. What software asserted on a level line is forgotten when it becomes, or stays, one. */
    void configure(int line, boolean edge) {
        bits[line] = edge ? bits[line] | EDGE_CONFIG
                : bits[line] & ~(EDGE_CONFIG | LEVEL_SOFTWARE | LEVEL_MESSAGE);
    }

    /** Acknowledged: an edge is used up, levels stay. */
    void acknowledge(int line) {
        bits[line] = bits[line] & ~EDGE | ACTIVE;
    }

    /** ISPENDR (or SETSPI for {@code level} LEVEL_MESSAGE). */
    void setPending(int line, int level) {
        bits[line] |= is(line, EDGE_CONFIG) ? EDGE : level;
    }

    /**
     * ICPENDR (CLRSPI for {@code level} LEVEL_MESSAGE): drops the edge and the level that its counterpart latched. A
     * source's level stays, and a message's until its sender takes it back.
     */
    void clearPending(int line, int level) {
        bits[line] &= ~(EDGE | level);
    }
}
