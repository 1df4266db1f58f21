package gunyah.hyp.vic;

/**
 * Where a register, or an array of equal registers, lies in a frame and how it may be accessed. A word access is always
 * allowed.
 *
 * @param first    offset of its first byte
 * @param end      offset after its last byte
 * @param widths   the allowed access sizes in bytes, ored
 * @param readable otherwise it reads as zero
 * @param writable otherwise writes are ignored
 */
record RegisterSpan(int first, int end, int widths, boolean readable, boolean writable) {
    private static final int BYTE = 1;
    private static final int HALF = 2;
    private static final int WORD = 4;
    private static final int DOUBLE = 8;

    static RegisterSpan word(int first) {
        return words(first, first + WORD);
    }

    static RegisterSpan words(int first, int end) {
        return new RegisterSpan(first, end, WORD, true, true);
    }

    static RegisterSpan bytes(int first, int end) {
        return new RegisterSpan(first, end, BYTE | WORD, true, true);
    }

    static RegisterSpan doubles(int first, int end) {
        return new RegisterSpan(first, end, WORD | DOUBLE, true, true);
    }

    /** As words that allow halfwords too. */
    static RegisterSpan half(int first) {
        return new RegisterSpan(first, first + WORD, HALF | WORD, true, true);
    }

    RegisterSpan readOnly() {
        return new RegisterSpan(first, end, widths, true, false);
    }

    RegisterSpan writeOnly() {
        return new RegisterSpan(first, end, widths, false, true);
    }

    /** {@return whether an access of this size may be made to it} {@code null} is a place without a register. */
    static boolean allows(RegisterSpan span, int sizeBytes) {
        return ((span == null ? WORD : span.widths) & sizeBytes) != 0;
    }
}
