package gunyah.arm64.translate;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import java.util.Arrays;
import java.util.List;

/**
 * Translated code of a part of one page: base of the generated classes. It belongs to the code, not to a VM: any page
 * of any VM that holds the same words at the same slots may run it. Immutable; any vCPU thread.
 */
public abstract class Region {
    /** A slot at which {@link #run} does nothing; the CPU may be null then. */
    static final int NOWHERE = -1;

    /** The slots it was made from, ascending, and their words. */
    private int[] slots;
    private int[] words;
    /** Instructions of its basic block before each slot; index slot - first slot. */
    private short[] before;
    private int[] entries;
    private List<String> called;
    private int first;
    private int codeBytes;
    private int stride;

    /** Completes a generated instance; once, before it is published. */
    final void describe(RegionCode code) {
        first = code.first();
        codeBytes = code.codeBytes();
        slots = code.slots();
        stride = code.stride();
        words = code.words();
        before = code.before();
        entries = code.entries();
        called = code.called();
    }

    /**
     * Runs guest code from {@code slot}, which must be an entry, until it leaves the region, the attention word is set
     * or {@code limit} instructions have retired. PC, count and registers are exact afterwards, also when an instruction
     * leaves by exception.
     *
     * @param pageVa address of the page the PC is in
     * @param limit  retired count from which the next backward branch leaves
     */
    public abstract void run(Cpu cpu, long pageVa, int slot, long limit);

    /** {@return how many instructions can retire at most between two looks at the limit} */
    public final int stride() {
        return stride;
    }

    /** {@return the slots it was made from, ascending; not to be changed} */
    public final int[] slots() {
        return slots;
    }

    /** {@return whether it was made from the slot, too} */
    public final boolean covers(int slot) {
        return Arrays.binarySearch(slots, slot) >= 0;
    }

    /** {@return whether translated code may leave before the instruction, because it cannot be done at once} */
    public static boolean mayMiss(Insn insn) {
        return (insn.word >>> 25 & 5) == 4 || FpEmitter.mayMiss(insn) || PointerEmitter.handles(insn);
    }

    /** {@return the number of its instructions} */
    final int size() {
        return slots.length;
    }

    /** {@return the slots where it may be entered} */
    public final int[] entries() {
        return entries;
    }

    /** {@return the rows of instructions that are calls of their semantics in it} */
    final List<String> called() {
        return called;
    }

    /** {@return the slot it was made for} */
    final int first() {
        return first;
    }

    /** {@return bytes of bytecode} */
    final int codeBytes() {
        return codeBytes;
    }

    /** {@return the word it was made from at one of its slots} */
    final int word(int slot) {
        return words[Arrays.binarySearch(slots, slot)];
    }

    /** {@return the number of instructions of the basic block before {@code slot}} For the generated code. */
    protected final int before(int slot) {
        return before[slot - slots[0]];
    }

    /** {@return whether the decoded page holds the code it was made from} */
    final boolean matches(Insn[] page) {
        for (int i = 0; i < slots.length; i++) {
            if (page[slots[i]] == null || page[slots[i]].word != words[i]) {
                return false;
            }
        }
        return true;
    }

    /** {@return whether the page at host address {@code hostPage} holds the code it was made from} */
    public final boolean matches(long hostPage) {
        return matches(hostPage, slots[0], slots[slots.length - 1] - slots[0] + 1);
    }

    /** {@return the same, of {@code count} slots from {@code first} only} */
    public final boolean matches(long hostPage, int first, int count) {
        int at = Arrays.binarySearch(slots, first);
        for (int i = at < 0 ? -at - 1 : at; i < slots.length && slots[i] < first + count; i++) {
            if (RAW.getInt(hostPage + slots[i] * 4L) != words[i]) {
                return false;
            }
        }
        return true;
    }
}
