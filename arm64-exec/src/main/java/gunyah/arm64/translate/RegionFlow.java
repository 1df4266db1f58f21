package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The control flow of a region: from its first entry along direct branches and calls inside the page, as far as code has
 * been executed before. It may also be entered where a call returns to, behind instructions that leave it, and where
 * its jumps by register have been seen to go. Jumps by register that stay in the page come back to one of
 * the entries without leaving.
 */
final class RegionFlow {
    /** Most instructions of a region: the time that HotSpot takes grows much faster than a method. */
    static final int MAX_INSTRUCTIONS = 160;
    /** Most instructions of a region that {@link #isStraight}. */
    static final int MAX_STRAIGHT = 320;
    /** Instructions of a block that is long. */
    private static final int LONG_BLOCK = 32;
    static final int SLOTS = 1024;
    /** Instructions of all copies of a loop of one block, and how many copies. */
    private static final int MOST_UNROLLED = 24;
    private static final int MOST_COPIES = 8;

    /**
     * A basic block.
     *
     * @param first first slot
     * @param last  last slot; what follows is decided by its instruction
     */
    record Block(int first, int last) {
    }

    private final Insn[] page;
    private final short[] jumpedFrom;
    private final BitSet covered = new BitSet(SLOTS);
    private final BitSet leaders = new BitSet(SLOTS);
    private final BitSet entries = new BitSet(SLOTS);
    private final List<Block> blocks = new ArrayList<>();
    private final int first;
    private final int most;
    private int size;

    /**
     * @param page       decoded instructions by slot, null where nothing was executed yet
     * @param jumpedFrom by slot, one more than the slot of a jump by register that often went there, 0 where none did
     * @param entry      slot of the first entry; decoded
     * @param most       most instructions, at least 1
     */
    RegionFlow(Insn[] page, short[] jumpedFrom, int entry, int most) {
        this.most = most;
        this.page = page;
        this.jumpedFrom = jumpedFrom;
        this.first = entry;
        discover(entry);
        split();
    }

    private void discover(int entry) {
        ArrayDeque<Integer> work = new ArrayDeque<>();
        entries.set(entry);
        leaders.set(entry);
        work.add(entry);
        while (!work.isEmpty() && size < most) {
            int slot = work.poll();
            boolean follows = true;
            while (follows && isKnown(slot) && !covered.get(slot) && size < most) {
                covered.set(slot);
                size++;
                Insn insn = page[slot];
                if (isDirectBranch(insn)) {
                    reach(slot + (int) insn.imm, work);
                    follows = insn.op != Ops.B;
                    if (follows) {
                        leaders.set(slot + 1);
                    }
                } else if (isExit(insn)) {
                    follows = false;
                    if (insn.op == Ops.BL) {
                        reach(slot + (int) insn.imm, work);
                    } else if (insn.op == Ops.BLR || insn.op == Ops.BR && !isReturn(insn)) {
                        targets(slot).forEach(each -> enter(each, work));
                    }
                    if (insn.op != Ops.BR && isKnown(slot + 1)) {
                        enter(slot + 1, work);
                    }
                }
                slot++;
            }
        }
        entries.and(covered);
    }

    /** {@return where the jump by register at {@code from} went, nearest first} */
    private List<Integer> targets(int from) {
        return IntStream.range(0, SLOTS).filter(each -> jumpedFrom[each] == from + 1 && page[each] != null).boxed()
                .sorted(Comparator.comparingInt(each -> Math.abs(each - from))).toList();
    }

    private void enter(int slot, ArrayDeque<Integer> work) {
        entries.set(slot);
        reach(slot, work);
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

    /** {@return whether the instruction calls or jumps by register, or its semantics sets the PC} */
    static boolean isExit(Insn insn) {
        return insn.op == Ops.BL || insn.op == Ops.BR || insn.op == Ops.BLR || insn.op == Ops.CALL_BRANCH;
    }

    private static boolean endsBlock(Insn insn) {
        return isDirectBranch(insn) || isExit(insn);
    }

    /** {@return whether the branch by register is a RET} */
    static boolean isReturn(Insn insn) {
        return (insn.word & 0xFFFF_FC1F) == 0xD65F_0000;
    }

    Insn insn(int slot) {
        return page[slot];
    }

    boolean covers(int slot) {
        return slot >= 0 && slot < SLOTS && covered.get(slot);
    }

    /** {@return whether the block is a loop so short that writing it twice costs little} */
    boolean isShortLoop(Block block) {
        Insn last = page[block.last()];
        return isDirectBranch(last) && last.op != Ops.B && block.last() + (int) last.imm == block.first()
                && length(block) <= MOST_UNROLLED;
    }

    /** {@return whether its blocks are long, on average} */
    boolean isStraight() {
        return size >= LONG_BLOCK * blocks.size();
    }

    /** {@return how often a block is written one after another: a short loop looks about only every few rounds} */
    int copies(Block block) {
        return isShortLoop(block) ? Math.min(MOST_UNROLLED / length(block), MOST_COPIES) : 1;
    }

    private static int length(Block block) {
        return block.last() - block.first() + 1;
    }

    /** {@return how many instructions can retire at most between two looks at the limit} */
    int stride() {
        int stride = size;
        for (Block block : blocks) {
            stride += (copies(block) - 1) * (block.last() - block.first() + 1);
        }
        return stride;
    }

    /** {@return the blocks, ascending} */
    List<Block> blocks() {
        return blocks;
    }

    /** {@return its number of instructions} */
    int size() {
        return size;
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

    int[] meanings() {
        return covered.stream().map(slot -> RegionCode.meaning(page[slot])).toArray();
    }

    /** {@return the rows whose semantics are called, for logs} */
    List<String> called() {
        return covered.stream().mapToObj(slot -> page[slot]).filter(insn -> !RegionCompiler.isInline(insn))
                .map(insn -> insn.row.name()).distinct().toList();
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
