package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The control flow of a region: from its first entry along direct branches inside the page, as far as code has been
 * executed before. It may also be entered where a call of it returns to and behind instructions that leave it.
 */
final class RegionFlow {
    /** Most instructions of a region: HotSpot gives up on methods that get much larger than this makes them. */
    static final int MAX_INSTRUCTIONS = 200;
    static final int SLOTS = 1024;

    /**
     * A basic block.
     *
     * @param first first slot
     * @param last  last slot; what follows is decided by its instruction
     */
    record Block(int first, int last) {
    }

    private final Insn[] page;
    private final BitSet covered = new BitSet(SLOTS);
    private final BitSet leaders = new BitSet(SLOTS);
    private final BitSet entries = new BitSet(SLOTS);
    private final List<Block> blocks = new ArrayList<>();
    private final int first;

    /**
     * @param page  decoded instructions by slot, null where nothing was executed yet
     * @param entry slot of the first entry; decoded
     */
    RegionFlow(Insn[] page, int entry) {
        this.page = page;
        this.first = entry;
        discover(entry);
        split();
    }

    private void discover(int entry) {
        ArrayDeque<Integer> work = new ArrayDeque<>();
        entries.set(entry);
        leaders.set(entry);
        work.add(entry);
        while (!work.isEmpty() && covered.cardinality() < MAX_INSTRUCTIONS) {
            int slot = work.poll();
            boolean follows = true;
            while (follows && isKnown(slot) && !covered.get(slot) && covered.cardinality() < MAX_INSTRUCTIONS) {
                covered.set(slot);
                Insn insn = page[slot];
                if (isDirectBranch(insn)) {
                    reach(slot + (int) insn.imm, work);
                    follows = insn.op != Ops.B;
                    if (follows) {
                        leaders.set(slot + 1);
                    }
                } else if (isExit(insn)) {
                    follows = false;
                    if (returnsHere(insn) && isKnown(slot + 1)) {
                        entries.set(slot + 1);
                        reach(slot + 1, work);
                    }
                }
                slot++;
            }
        }
        entries.and(covered);
    }

    private void reach(int slot, ArrayDeque<Integer> work) {
        if (isKnown(slot)) {
            leaders.set(slot);
            work.add(slot);
        }
    }

    private boolean isKnown(int slot) {
        return slot >= 0 && slot < SLOTS && page[slot] != null;
    }

    private void split() {
        int slot = covered.nextSetBit(0);
        while (slot >= 0) {
            int last = slot;
            while (!endsBlock(page[last]) && covered.get(last + 1) && !leaders.get(last + 1)) {
                last++;
            }
            blocks.add(new Block(slot, last));
            slot = covered.nextSetBit(last + 1);
        }
    }

    /** {@return whether the branch goes to a fixed slot and does not write the link register} */
    static boolean isDirectBranch(Insn insn) {
        return insn.op == Ops.B || insn.op >= Ops.B_COND && insn.op <= Ops.TBNZ;
    }

    /** {@return whether the region is always left after the instruction} */
    static boolean isExit(Insn insn) {
        return insn.op == Ops.BL || insn.op == Ops.BR || insn.op == Ops.BLR || insn.op == Ops.CALL_BRANCH;
    }

    private static boolean endsBlock(Insn insn) {
        return isDirectBranch(insn) || isExit(insn);
    }

    private static boolean returnsHere(Insn insn) {
        return insn.op != Ops.BR;
    }

    Insn insn(int slot) {
        return page[slot];
    }

    boolean covers(int slot) {
        return slot >= 0 && slot < SLOTS && covered.get(slot);
    }

    /** {@return the blocks, ascending} */
    List<Block> blocks() {
        return blocks;
    }

    /** {@return slot of the first entry} */
    int first() {
        return first;
    }

    int[] entries() {
        return entries.stream().toArray();
    }

    int[] slots() {
        return covered.stream().toArray();
    }

    int[] words() {
        return covered.stream().map(slot -> page[slot].word).toArray();
    }

    /** {@return instructions of the block before each slot, from the lowest slot on} */
    short[] before() {
        int lowest = covered.nextSetBit(0);
        short[] before = new short[covered.length() - lowest];
        for (Block block : blocks) {
            for (int slot = block.first(); slot <= block.last(); slot++) {
                before[slot - lowest] = (short) (slot - block.first());
            }
        }
        return before;
    }

    /** {@return a word per slot as text, for logs} */
    @Override
    public String toString() {
        return "slot %d, %d instructions, %d blocks, %d entries".formatted(first, covered.cardinality(), blocks.size(),
                entries.cardinality());
    }
}
