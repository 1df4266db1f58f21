package gunyah.memory;

/**
 * The one accessor of raw host addresses, little endian. Every address passed in is a host virtual address obtained
 * from {@link PhysicalMemory#hostAddress}; safety comes from the callers, who only make such addresses from checked
 * translations. The back end is chosen once per JVM by the system property {@code gunyah.memory}:
 * {@code unsafe} (default, fastest), {@code ffm} (global memory segment) or {@code checked} (every access must lie in
 * a live {@link PhysicalMemory} arena, for tests and debugging).
 *
 * <p>Plain methods have no ordering; {@code Acquire}, {@code Release} and {@code Volatile} mean what
 * {@link java.lang.invoke.VarHandle} says. Ordered and atomic accesses need natural alignment.
 */
public abstract class RawMemory {
    /** The chosen back end; a constant for the compiler. */
    public static final RawMemory RAW = choose(System.getProperty("gunyah.memory", "unsafe"));

    RawMemory() {
    }

    /** Refuses 16 bytes that are not memory of a guest, if this back end checks. */
    void checkPair(long address) {
    }

    private static RawMemory choose(String backEnd) {
        return switch (backEnd) {
            case "unsafe" -> new UnsafeMemory();
            case "ffm" -> new SegmentMemory();
            case "checked" -> new CheckedMemory();
            default -> throw new IllegalArgumentException(
                    "gunyah.memory must be unsafe, ffm or checked, not " + backEnd);
        };
    }

    public abstract byte getByte(long address);

    public abstract short getShort(long address);

    public abstract int getInt(long address);

    public abstract long getLong(long address);

    public abstract void putByte(long address, byte value);

    public abstract void putShort(long address, short value);

    public abstract void putInt(long address, int value);

    public abstract void putLong(long address, long value);

    public abstract byte getByteVolatile(long address);

    public abstract short getShortVolatile(long address);

    public abstract int getIntVolatile(long address);

    public abstract long getLongVolatile(long address);

    public abstract byte getByteAcquire(long address);

    public abstract short getShortAcquire(long address);

    public abstract int getIntAcquire(long address);

    public abstract long getLongAcquire(long address);

    public abstract void putByteVolatile(long address, byte value);

    public abstract void putShortVolatile(long address, short value);

    public abstract void putIntVolatile(long address, int value);

    public abstract void putLongVolatile(long address, long value);

    /** {@return the value found; it equals {@code expected} exactly when {@code value} was stored} */
    public abstract byte compareAndExchangeByte(long address, byte expected, byte value);

    /** {@return the value found; it equals {@code expected} exactly when {@code value} was stored} */
    public abstract short compareAndExchangeShort(long address, short expected, short value);

    /** {@return the value found; it equals {@code expected} exactly when {@code value} was stored} */
    public abstract int compareAndExchangeInt(long address, int expected, int value);

    /** {@return the value found; it equals {@code expected} exactly when {@code value} was stored} */
    public abstract long compareAndExchangeLong(long address, long expected, long value);

    /** {@return the value before the addition} */
    public abstract int getAndAddInt(long address, int delta);

    /** {@return the value before the addition} */
    public abstract long getAndAddLong(long address, long delta);

    /** Sets {@code length} bytes to zero. */
    public abstract void zero(long address, long length);

    /** Copies between raw memory; the ranges may not overlap. */
    public abstract void copy(long from, long to, long length);

    /** Copies raw memory into {@code target[offset, offset + length)}. */
    public abstract void read(long address, byte[] target, int offset, int length);

    /** Copies {@code source[offset, offset + length)} into raw memory. */
    public abstract void write(long address, byte[] source, int offset, int length);
}
