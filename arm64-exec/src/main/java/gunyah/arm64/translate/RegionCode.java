package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A region as data: its class, and what is known of it. It can be kept in a file, for it names no object of this
 * process: constants of the class are the instruction at a slot, or that instruction's semantics. Immutable.
 *
 * @param first     the slot it was made for
 * @param stride    see {@link Region#stride}
 * @param slots     slots it was made from, ascending
 * @param words     their words
 * @param meanings  what their words were decoded to: depends on what the CPU has
 * @param before    instructions of its basic block before each slot; index slot - first of slots
 * @param entries   slots where it may be entered
 * @param called    rows of instructions that are calls of their semantics
 * @param constants for each constant the slot of an instruction, or the complement of the slot for its semantics
 * @param codeBytes bytes of bytecode of {@code run}
 * @param bytes     the class file
 */
record RegionCode(int first, int stride, int[] slots, int[] words, int[] meanings, short[] before, int[] entries,
        List<String> called, int[] constants, int codeBytes, byte[] bytes) {
    /**
     * {@return the region}
     *
     * @param page instructions that it was made from, at its slots
     */
    Region load(Insn[] page) {
        List<Object> data = new ArrayList<>();
        for (int constant : constants) {
            data.add(constant >= 0 ? page[constant] : page[~constant].semantics);
        }
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClassWithClassData(bytes, data, true);
            Region region = (Region) lookup.findConstructor(lookup.lookupClass(),
                    MethodType.methodType(void.class)).invoke();
            region.describe(this);
            return region;
        } catch (Throwable e) {
            throw new IllegalStateException("region at slot %d of %d instructions does not load".formatted(first,
                    slots.length), e);
        }
    }

    /** {@return whether the decoded page holds the code it was made from} */
    boolean matches(Insn[] page) {
        for (int i = 0; i < slots.length; i++) {
            Insn insn = page[slots[i]];
            if (insn == null || insn.word != words[i] || meaning(insn) != meanings[i]) {
                return false;
            }
        }
        return true;
    }

    /** {@return a number of what an instruction was decoded to} */
    static int meaning(Insn insn) {
        return insn.row.name().hashCode() * 31 + insn.op;
    }

    /** {@return the word at one of its slots} */
    int word(int slot) {
        return words[Arrays.binarySearch(slots, slot)];
    }
}
