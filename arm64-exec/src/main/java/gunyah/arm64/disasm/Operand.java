package gunyah.arm64.disasm;

import gunyah.arm64.decode.InstructionRow;

/** One token of a format: text made of an instruction. */
@FunctionalInterface
interface Operand {
    /** {@return the text of this operand of {@code word} at {@code pc}} */
    String text(InstructionRow row, int word, long pc);

    /** {@return bits {@code low + width - 1 : low}, unsigned} */
    static int bits(int word, int low, int width) {
        return word >>> low & (1 << width) - 1;
    }

    /** {@return bits {@code low + width - 1 : low}, sign extended} */
    static int signed(int word, int low, int width) {
        return word << 32 - low - width >> 32 - width;
    }
}
