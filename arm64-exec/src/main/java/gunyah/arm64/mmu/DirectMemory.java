package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

/**
 * Data accesses of translated code: what the TLB allows at once, else {@link Miss#MISS}, and nothing has changed; then the
 * code is left before the instruction, which the interpreter executes. So translated code has no calls beside its fast
 * paths, which keeps guest registers in machine registers. The first argument is {@link Mmu#bank}. Addresses of a host are
 * good until the region is left.
 */
public final class DirectMemory {
    private static final int REHEARSALS = 30_000;

    private DirectMemory() {
    }

    /** {@return the host address of {@code va} when bytes {@code va .. va + last} may be read} */
    public static long hostToLoad(long[] tlb, long va, int last) {
        Miss.unless(isReadable(tlb, va, last));
        return host(tlb, va);
    }

    /** {@return the host address of {@code va} when bytes {@code va .. va + last} may be written} */
    public static long hostToStore(long[] tlb, long va, int last) {
        Miss.unless(isWritable(tlb, va, last));
        return host(tlb, va);
    }

    /** As {@link #hostToLoad}, of one naturally aligned access of {@code 1 << size} bytes. */
    public static long hostToLoadAligned(long[] tlb, long va, int size) {
        Miss.unless((va & (1 << size) - 1) == 0);
        return hostToLoad(tlb, va, 0);
    }

    /** As {@link #hostToStore}, of one naturally aligned access of {@code 1 << size} bytes. */
    public static long hostToStoreAligned(long[] tlb, long va, int size) {
        Miss.unless((va & (1 << size) - 1) == 0);
        return hostToStore(tlb, va, 0);
    }

    /** {@return whether bytes {@code va .. va + last} may be read} */
    public static boolean isReadable(long[] tlb, long va, int last) {
        return (va + last & Tlb.PAGE) == Tlb.get(tlb, Tlb.index(va));
    }

    /** {@return whether bytes {@code va .. va + last} may be written} */
    public static boolean isWritable(long[] tlb, long va, int last) {
        return (va + last & Tlb.PAGE) == Tlb.get(tlb, Tlb.index(va) + Tlb.WRITE);
    }

    /** {@return the host address of {@code va}, which is readable or writable} */
    public static long host(long[] tlb, long va) {
        return va + Tlb.get(tlb, Tlb.index(va) + Tlb.ADDEND);
    }

    public static int get8(long host) {
        return RAW.getByte(host) & 0xFF;
    }

    public static int get16(long host) {
        return RAW.getShort(host) & 0xFFFF;
    }

    public static void put8(long host, int value) {
        RAW.putByte(host, (byte) value);
    }

    public static void put16(long host, int value) {
        RAW.putShort(host, (short) value);
    }

    public static long get64(long host) {
        return RAW.getLong(host);
    }

    public static int get32(long host) {
        return RAW.getInt(host);
    }

    public static void put64(long host, long value) {
        RAW.putLong(host, value);
    }

    public static void put32(long host, int value) {
        RAW.putInt(host, value);
    }

    /** Lets HotSpot see which way these methods go, before it compiles code that has never run. Takes milliseconds. */
    public static long rehearse() {
        Tlb tlb = new Tlb();
        long page = 4096;
        tlb.insert(tlb.el0, page, 6, 0, 0, 0, 0);
        long sum = 0;
        for (int i = 0; i < REHEARSALS; i++) {
            sum += hostToLoad(tlb.el0, page + 8, 7) + hostToStore(tlb.el0, page + 8, 7);
            Miss.unless(sum != i);
        }
        return sum;
    }
}
