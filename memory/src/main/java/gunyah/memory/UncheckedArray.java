package gunyah.memory;

import jdk.internal.misc.Unsafe;

/**
 * Arrays of 64-bit words and of counters without a bounds check, for the few places where that costs as much as the
 * access and the index is in range by construction. Plain accesses, no ordering.
 */
public final class UncheckedArray {
    private static final Unsafe U = Unsafe.getUnsafe();
    private static final long BASE = Unsafe.ARRAY_LONG_BASE_OFFSET;
    private static final long INT_BASE = Unsafe.ARRAY_INT_BASE_OFFSET;

    private UncheckedArray() {
    }

    /** {@return {@code array[index]}; undefined when there is no such element} */
    public static long get(long[] array, int index) {
        return U.getLong(array, BASE + 8L * index);
    }

    /** {@return the word {@code offset} bytes behind the first, a multiple of 8; undefined when there is none} */
    public static long at(long[] array, long offset) {
        return U.getLong(array, BASE + offset);
    }

    /** Sets {@code array[index]}; undefined when there is no such element. */
    public static void set(long[] array, int index, long value) {
        U.putLong(array, BASE + 8L * index, value);
    }

    /** {@return {@code array[index]}}; undefined when there is no such element. */
    public static int get(int[] array, int index) {
        return U.getInt(array, INT_BASE + 4L * index);
    }

    /** {@code array[index] += value}; undefined when there is no such element. */
    public static void add(int[] array, int index, int value) {
        long at = INT_BASE + 4L * index;
        U.putInt(array, at, U.getInt(array, at) + value);
    }
}
