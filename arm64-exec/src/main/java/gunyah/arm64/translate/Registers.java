package gunyah.arm64.translate;

import gunyah.memory.UncheckedArray;

/**
 * The general registers in memory as generated code reads and writes them: the index is a constant of the code, so that
 * the array needs no bounds check. Not for anybody else.
 */
public final class Registers {
    private Registers() {
    }

    /** {@return register {@code index}, 0..31, of {@code x}} */
    public static long get(long[] x, int index) {
        return UncheckedArray.get(x, index);
    }

    /** Sets register {@code index}, 0..31, of {@code x}. */
    public static void set(long[] x, int index, long value) {
        UncheckedArray.set(x, index, value);
    }
}
