package gunyah.arm64.translate;

import jdk.internal.misc.Unsafe;

/**
 * The general registers in memory as generated code reads and writes them: the index is a constant of the code, so that
 * the array needs no bounds check. Not for anybody else.
 */
public final class Registers {
    private static final Unsafe U = Unsafe.getUnsafe();
    private static final long BASE = Unsafe.ARRAY_LONG_BASE_OFFSET;

    private Registers() {
    }

    /** {@return register {@code index}, 0..31, of {@code x}} */
    public static long get(long[] x, int index) {
        return U.getLong(x, BASE + 8L * index);
    }

    /** Sets register {@code index}, 0..31, of {@code x}. */
    public static void set(long[] x, int index, long value) {
        U.putLong(x, BASE + 8L * index, value);
    }
}
