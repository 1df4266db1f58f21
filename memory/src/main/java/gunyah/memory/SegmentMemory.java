package gunyah.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** {@link RawMemory} on the global memory segment: no internal API, used where the fast back end is not allowed. */
class SegmentMemory extends RawMemory {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final ValueLayout.OfShort SHORT_PLAIN = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT_PLAIN = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG_PLAIN = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Called before each access; the checked back end refuses addresses outside every arena. */
    long check(long address, long length) {
        return address;
    }

    @Override
    public byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, check(address, 1));
    }

    @Override
    public void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, check(address, 1), value);
    }

    @Override
    public byte getByteVolatile(long address) {
        return (byte) BYTE.getVolatile(ALL, check(address, 1));
    }

    @Override
    public byte getByteAcquire(long address) {
        return (byte) BYTE.getAcquire(ALL, check(address, 1));
    }

    @Override
    public void putByteVolatile(long address, byte value) {
        BYTE.setVolatile(ALL, check(address, 1), value);
    }

    @Override
    public short getShort(long address) {
        return ALL.get(SHORT_PLAIN, check(address, 2));
    }

    @Override
    public void putShort(long address, short value) {
        ALL.set(SHORT_PLAIN, check(address, 2), value);
    }

    @Override
    public short getShortVolatile(long address) {
        return (short) SHORT.getVolatile(ALL, check(address, 2));
    }

    @Override
    public short getShortAcquire(long address) {
        return (short) SHORT.getAcquire(ALL, check(address, 2));
    }

    @Override
    public void putShortVolatile(long address, short value) {
        SHORT.setVolatile(ALL, check(address, 2), value);
    }

    @Override
    public int getInt(long address) {
        return ALL.get(INT_PLAIN, check(address, 4));
    }

    @Override
    public void putInt(long address, int value) {
        ALL.set(INT_PLAIN, check(address, 4), value);
    }

    @Override
    public int getIntVolatile(long address) {
        return (int) INT.getVolatile(ALL, check(address, 4));
    }

    @Override
    public int getIntAcquire(long address) {
        return (int) INT.getAcquire(ALL, check(address, 4));
    }

    @Override
    public void putIntVolatile(long address, int value) {
        INT.setVolatile(ALL, check(address, 4), value);
    }

    @Override
    public long getLong(long address) {
        return ALL.get(LONG_PLAIN, check(address, 8));
    }

    @Override
    public void putLong(long address, long value) {
        ALL.set(LONG_PLAIN, check(address, 8), value);
    }

    @Override
    public long getLongVolatile(long address) {
        return (long) LONG.getVolatile(ALL, check(address, 8));
    }

    @Override
    public long getLongAcquire(long address) {
        return (long) LONG.getAcquire(ALL, check(address, 8));
    }

    @Override
    public void putLongVolatile(long address, long value) {
        LONG.setVolatile(ALL, check(address, 8), value);
    }

    @Override
    public int compareAndExchangeInt(long address, int expected, int value) {
        return (int) INT.compareAndExchange(ALL, check(address, 4), expected, value);
    }

    @Override
    public int getAndAddInt(long address, int delta) {
        return (int) INT.getAndAdd(ALL, check(address, 4), delta);
    }

    @Override
    public long compareAndExchangeLong(long address, long expected, long value) {
        return (long) LONG.compareAndExchange(ALL, check(address, 8), expected, value);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        return (long) LONG.getAndAdd(ALL, check(address, 8), delta);
    }

    @Override
    public byte compareAndExchangeByte(long address, byte expected, byte value) {
        // FFM has no sub-word compare-and-set: do it on the aligned word that holds the byte.
        long word = check(address, 1) & ~3L;
        int shift = (int) (address & 3) * 8;
        while (true) {
            int old = (int) INT.getVolatile(ALL, word);
            byte found = (byte) (old >>> shift);
            if (found != expected) {
                return found;
            }
            int changed = old & ~(0xFF << shift) | (value & 0xFF) << shift;
            if (INT.compareAndSet(ALL, word, old, changed)) {
                return found;
            }
        }
    }

    @Override
    public short compareAndExchangeShort(long address, short expected, short value) {
        // FFM has no sub-word compare-and-set: do it on the aligned word that holds the short.
        long word = check(address, 2) & ~3L;
        int shift = (int) (address & 3) * 8;
        while (true) {
            int old = (int) INT.getVolatile(ALL, word);
            short found = (short) (old >>> shift);
            if (found != expected) {
                return found;
            }
            int changed = old & ~(0xFFFF << shift) | (value & 0xFFFF) << shift;
            if (INT.compareAndSet(ALL, word, old, changed)) {
                return found;
            }
        }
    }

    @Override
    public void zero(long address, long length) {
        ALL.asSlice(check(address, length), length).fill((byte) 0);
    }

    @Override
    public void copy(long from, long to, long length) {
        MemorySegment.copy(ALL, check(from, length), ALL, check(to, length), length);
    }

    @Override
    public void read(long address, byte[] target, int offset, int length) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, check(address, length), target, offset, length);
    }

    @Override
    public void write(long address, byte[] source, int offset, int length) {
        MemorySegment.copy(source, offset, ALL, ValueLayout.JAVA_BYTE, check(address, length), length);
    }
}
