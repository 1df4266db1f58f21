package gunyah.arm64.oracle;

import gunyah.arm64.decode.InstructionRow;

/**
 * One instruction to execute on one state.
 *
 * @param row     the row the word belongs to
 * @param word    the instruction
 * @param state   number of the initial state
 * @param address where the block starts; the instruction is its second word
 * @param patches register, value, ...: up to three changes to the state; 0..30 are X registers, 31 SP, 32 NZCV, 33 FPCR
 */
record Case(InstructionRow row, int word, int state, long address, long[] patches) {
    static final int SP = 31;
    static final int NZCV = 32;

    /** {@return the address of the instruction} */
    long pc() {
        return address + 4;
    }
}
