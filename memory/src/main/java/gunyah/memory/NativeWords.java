package gunyah.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.internal.misc.Unsafe;

/**
 * 64-bit words outside the heap, for tables that generated code reads: an access is one machine instruction, unchecked,
 * plain, without ordering. The memory lives as long as this object is reachable.
 */
public final class NativeWords {
    private static final Unsafe U = Unsafe.getUnsafe();

    private final MemorySegment segment;

    /** @param count words, all zero; aligned to 64 bytes */
    public NativeWords(int count) {
        segment = Arena.ofAuto().allocate(8L * count, 64);
    }

    /** {@return the address of the first word} */
    public long address() {
        return segment.address();
    }

    /** {@return the word at an address inside some live object of this class; undefined elsewhere} */
    public static long get(long address) {
        return U.getLong(address);
    }

    /** Sets the word at an address inside some live object of this class; undefined elsewhere. */
    public static void set(long address, long value) {
        U.putLong(address, value);
    }
}
