package gunyah.arm64.semantics;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.Cpu;

/**
 * Ordered and atomic accesses of 1, 2, 4 or 8 bytes ({@code size} is the log2) at host addresses, values zero extended.
 * Acquire and release of the Arm kind (RCsc) become sequentially consistent Java accesses, so that a store-release
 * followed by a load-acquire stays in order; LDAPR needs the weaker acquire only.
 */
public final class Ordered {
    private Ordered() {
    }

    /** {@return the host address of a naturally aligned access} Faults when it is not. */
    static long hostToRead(Cpu cpu, long va, int size) {
        if ((va & (1 << size) - 1) != 0) {
            throw cpu.mmu.alignmentFault(va, false);
        }
        return cpu.mmu.hostForRead(va, 1 << size);
    }

    /**
     * As {@link #hostToRead}, for a read-modify-write: what a read would not have been allowed either is reported as
     * one (WnR 0).
     */
    static long hostToModify(Cpu cpu, long va, int size) {
        if ((va & (1 << size) - 1) != 0) {
            throw cpu.mmu.alignmentFault(va, false);
        }
        return cpu.mmu.hostForModify(va, 1 << size);
    }

    /** As {@link #hostToRead}, for a store. */
    static long hostToWrite(Cpu cpu, long va, int size) {
        if ((va & (1 << size) - 1) != 0) {
            throw cpu.mmu.alignmentFault(va, true);
        }
        return cpu.mmu.hostForWrite(va, 1 << size);
    }

    /** {@return the value} For LDAR and exclusive loads. */
    public static long read(long host, int size) {
        return switch (size) {
            case 0 -> RAW.getByteVolatile(host) & 0xFF;
            case 1 -> RAW.getShortVolatile(host) & 0xFFFF;
            case 2 -> RAW.getIntVolatile(host) & 0xFFFF_FFFFL;
            default -> RAW.getLongVolatile(host);
        };
    }

    /** As {@link #read}, with the weaker acquire of LDAPR. */
    public static long readAcquire(long host, int size) {
        return switch (size) {
            case 0 -> RAW.getByteAcquire(host) & 0xFF;
            case 1 -> RAW.getShortAcquire(host) & 0xFFFF;
            case 2 -> RAW.getIntAcquire(host) & 0xFFFF_FFFFL;
            default -> RAW.getLongAcquire(host);
        };
    }

    /** Stores as STLR does. */
    public static void write(long host, int size, long value) {
        switch (size) {
            case 0 -> RAW.putByteVolatile(host, (byte) value);
            case 1 -> RAW.putShortVolatile(host, (short) value);
            case 2 -> RAW.putIntVolatile(host, (int) value);
            default -> RAW.putLongVolatile(host, value);
        }
    }

    /** {@return the value found, zero extended; {@code value} was stored exactly when it equals {@code expected}} */
    public static long compareAndSwap(long host, int size, long expected, long value) {
        return switch (size) {
            case 0 -> RAW.compareAndExchangeByte(host, (byte) expected, (byte) value) & 0xFF;
            case 1 -> RAW.compareAndExchangeShort(host, (short) expected, (short) value) & 0xFFFF;
            case 2 -> RAW.compareAndExchangeInt(host, (int) expected, (int) value) & 0xFFFF_FFFFL;
            default -> RAW.compareAndExchangeLong(host, expected, value);
        };
    }

    /** {@return {@code value} cut to the size, zero extended} */
    static long truncate(long value, int size) {
        return size == 3 ? value : value & (1L << (8 << size)) - 1;
    }
}
