package gunyah.arm64.decode;

/**
 * One row of the A64 table (Arm ARM DDI 0487, C4 and C6/C7): data for the decoder, the engines and the tests.
 *
 * @param name      the manual's spelling of the encoding, e.g. {@code ADD_imm}, {@code LDXR}
 * @param pattern   32 characters, bit 31 first: {@code 0}, {@code 1}, or a field letter
 * @param feature   the FEAT_ name that must be advertised, or empty for Armv8.0
 * @param op        the interpreter's switch number, 0 when it has none and calls {@code semantics}
 * @param branches  the semantics sets the PC itself
 * @param fields    fills the operands of a decoded instruction; answers false when the word is reserved (UNDEFINED)
 * @param semantics the meaning
 */
public record InstructionRow(String name, String pattern, String feature, int op, boolean branches, Fields fields,
        Semantics semantics) {
    /** Decodes operand fields. */
    @FunctionalInterface
    public interface Fields {
        /** {@return false when this word of the row is reserved} */
        boolean decode(Insn insn);
    }

    /** {@return the bits that are fixed} */
    public int mask() {
        int mask = 0;
        for (int i = 0; i < 32; i++) {
            mask = mask << 1 | (pattern.charAt(i) == '0' || pattern.charAt(i) == '1' ? 1 : 0);
        }
        return mask;
    }

    /** {@return the values of the fixed bits} */
    public int value() {
        int value = 0;
        for (int i = 0; i < 32; i++) {
            value = value << 1 | (pattern.charAt(i) == '1' ? 1 : 0);
        }
        return value;
    }

    /** {@return whether the fixed bits of {@code word} are this row's} */
    public boolean matches(int word) {
        return (word & mask()) == value();
    }

    /** A row without feature and switch number that does not branch. */
    public static InstructionRow of(String name, String pattern, Fields fields, Semantics semantics) {
        return new InstructionRow(name, pattern, "", 0, false, fields, semantics);
    }
}
