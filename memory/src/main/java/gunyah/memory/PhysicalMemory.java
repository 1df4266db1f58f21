package gunyah.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The machine's physical address space: one arena of host memory, reserved and not committed, so that address ranges
 * which nobody touches cost nothing. Physical address {@code pa} lives at host address {@code hostAddress(0) + pa}.
 * Fresh and discarded memory reads as zero. Thread safe; {@link #close} must come after the last access.
 */
public final class PhysicalMemory implements AutoCloseable {
    /** Bytes of one frame, the granule of everything in this package. */
    public static final int PAGE_SIZE = 4096;

    /** Log2 of {@link #PAGE_SIZE}. */
    public static final int PAGE_SHIFT = 12;

    private static final int PROT_READ_WRITE = 3;
    private static final boolean MAC = System.getProperty("os.name").startsWith("Mac");
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = MAC ? 0x1002 : 0x4022;
    private static final int MADV_GIVE_BACK = MAC ? 5 : 4;
    private static final MethodHandle MMAP = function("mmap", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
    private static final MethodHandle MUNMAP = function("munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle MADVISE = function("madvise", FunctionDescriptor.of(ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

    private final long base;
    private final long sizeBytes;
    private boolean closed;

    /**
     * Reserves physical addresses {@code [0, sizeBytes)}.
     *
     * @param sizeBytes a positive multiple of {@link #PAGE_SIZE}
     * @throws IllegalStateException when the host refuses the reservation
     */
    public PhysicalMemory(long sizeBytes) {
        if (sizeBytes <= 0 || (sizeBytes & PAGE_SIZE - 1) != 0) {
            throw new IllegalArgumentException("size must be a positive multiple of 4096, not " + sizeBytes);
        }
        this.sizeBytes = sizeBytes;
        try {
            base = (long) MMAP.invokeExact(0L, sizeBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
        } catch (Throwable e) {
            throw new IllegalStateException("mmap could not be called", e);
        }
        if (base == -1) {
            throw new IllegalStateException("the host refused to reserve %d MiB of address space; "
                    .formatted(sizeBytes >> 20) + "lower the machine's memory size");
        }
        if (RawMemory.RAW instanceof CheckedMemory) {
            CheckedMemory.register(base, sizeBytes);
        }
    }

    static MethodHandle function(String name, FunctionDescriptor shape) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup lookup = linker.defaultLookup();
        return linker.downcallHandle(lookup.findOrThrow(name), shape);
    }

    /** {@return bytes of physical address space} */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** {@return the host address of physical address {@code pa}; not checked} */
    public long hostAddress(long pa) {
        return base + pa;
    }

    /** {@return whether {@code [pa, pa + length)} lies inside the arena} */
    public boolean contains(long pa, long length) {
        return pa >= 0 && length >= 0 && pa <= sizeBytes - length;
    }

    /** Makes {@code [pa, pa + length)} read as zero and gives whole pages back to the operating system. */
    public void discard(long pa, long length) {
        requireInside(pa, length);
        if (((pa | length) & PAGE_SIZE - 1) != 0 || MAC) {
            RawMemory.RAW.zero(base + pa, length);
            return;
        }
        int result;
        try {
            result = (int) MADVISE.invokeExact(base + pa, length, MADV_GIVE_BACK);
        } catch (Throwable e) {
            throw new IllegalStateException("madvise could not be called", e);
        }
        if (result != 0) {
            RawMemory.RAW.zero(base + pa, length);
        }
    }

    /** Copies out of physical memory. @throws IndexOutOfBoundsException outside the arena or the array */
    public void read(long pa, byte[] target, int offset, int length) {
        requireInside(pa, length);
        RawMemory.RAW.read(base + pa, target, offset, length);
    }

    /** Copies into physical memory. @throws IndexOutOfBoundsException outside the arena or the array */
    public void write(long pa, byte[] source, int offset, int length) {
        requireInside(pa, length);
        RawMemory.RAW.write(base + pa, source, offset, length);
    }

    private void requireInside(long pa, long length) {
        if (!contains(pa, length)) {
            throw new IndexOutOfBoundsException("0x%x+0x%x is outside physical memory".formatted(pa, length));
        }
    }

    /** Gives the arena back. Accesses after this are fatal to the process, so every vCPU must have stopped. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (RawMemory.RAW instanceof CheckedMemory) {
            CheckedMemory.unregister(base);
        }
        try {
            int ignored = (int) MUNMAP.invokeExact(base, sizeBytes);
        } catch (Throwable e) {
            throw new IllegalStateException("munmap could not be called", e);
        }
    }
}
