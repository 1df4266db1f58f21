package gunyah.memory;

import jdk.internal.misc.Unsafe;

/** {@link RawMemory} on the JDK's internal accessor: each method is one machine instruction after compilation. */
final class UnsafeMemory extends RawMemory {
    private static final Unsafe U = Unsafe.getUnsafe();
    private static final long BYTES = Unsafe.ARRAY_BYTE_BASE_OFFSET;

    @Override
    public byte getByte(long address) {
        return U.getByte(address);
    }

    @Override
    public short getShort(long address) {
        return U.getShort(address);
    }

    @Override
    public int getInt(long address) {
        return U.getInt(address);
    }

    @Override
    public long getLong(long address) {
        return U.getLong(address);
    }

    @Override
    public void putByte(long address, byte value) {
        U.putByte(address, value);
    }

    @Override
    public void putShort(long address, short value) {
        U.putShort(address, value);
    }

    @Override
    public void putInt(long address, int value) {
        U.putInt(address, value);
    }

    @Override
    public void putLong(long address, long value) {
        U.putLong(address, value);
    }

    @Override
    public byte getByteVolatile(long address) {
        return U.getByteVolatile(null, address);
    }

    @Override
    public short getShortVolatile(long address) {
        return U.getShortVolatile(null, address);
    }

    @Override
    public int getIntVolatile(long address) {
        return U.getIntVolatile(null, address);
    }

    @Override
    public long getLongVolatile(long address) {
        return U.getLongVolatile(null, address);
    }

    @Override
    public byte getByteAcquire(long address) {
        return U.getByteAcquire(null, address);
    }

    @Override
    public short getShortAcquire(long address) {
        return U.getShortAcquire(null, address);
    }

    @Override
    public int getIntAcquire(long address) {
        return U.getIntAcquire(null, address);
    }

    @Override
    public long getLongAcquire(long address) {
        return U.getLongAcquire(null, address);
    }

    @Override
    public void putByteVolatile(long address, byte value) {
        U.putByteVolatile(null, address, value);
    }

    @Override
    public void putShortVolatile(long address, short value) {
        U.putShortVolatile(null, address, value);
    }

    @Override
    public void putIntVolatile(long address, int value) {
        U.putIntVolatile(null, address, value);
    }

    @Override
    public void putLongVolatile(long address, long value) {
        U.putLongVolatile(null, address, value);
    }

    @Override
    public byte compareAndExchangeByte(long address, byte expected, byte value) {
        return U.compareAndExchangeByte(null, address, expected, value);
    }

    @Override
    public short compareAndExchangeShort(long address, short expected, short value) {
        return U.compareAndExchangeShort(null, address, expected, value);
    }

    @Override
    public int compareAndExchangeInt(long address, int expected, int value) {
        return U.compareAndExchangeInt(null, address, expected, value);
    }

    @Override
    public long compareAndExchangeLong(long address, long expected, long value) {
        return U.compareAndExchangeLong(null, address, expected, value);
    }

    @Override
    public int getAndAddInt(long address, int delta) {
        return U.getAndAddInt(null, address, delta);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        return U.getAndAddLong(null, address, delta);
    }

    @Override
    public void zero(long address, long length) {
        U.setMemory(address, length, (byte) 0);
    }

    @Override
    public void copy(long from, long to, long length) {
        U.copyMemory(from, to, length);
    }

    @Override
    public void read(long address, byte[] target, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, target.length);
        U.copyMemory(null, address, target, BYTES + offset, length);
    }

    @Override
    public void write(long address, byte[] source, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, source.length);
        U.copyMemory(source, BYTES + offset, null, address, length);
    }
}
