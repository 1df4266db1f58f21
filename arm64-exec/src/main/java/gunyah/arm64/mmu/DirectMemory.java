package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.NativeWords;

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
    public static long hostToLoad(long tlb, long va, int last) {
        long at = tlb + Tlb.index(va);
        if (Tlb.get(at) == (va + last & Tlb.PAGE)) {
            return va + Tlb.get(at + Tlb.ADDEND);
        }
        throw Miss.MISS;
    }

    /** {@return the host address of {@code va} when bytes {@code va .. va + last} may be written} */
    public static long hostToStore(long tlb, long va, int last) {
        long at = tlb + Tlb.index(va);
        if (Tlb.get(at + Tlb.WRITE) == (va + last & Tlb.PAGE)) {
            return va + Tlb.get(at + Tlb.ADDEND);
        }
        throw Miss.MISS;
    }

    /** As {@link #hostToLoad}, of one naturally aligned access of {@code 1 << size} bytes. */
    public static long hostToLoadAligned(long tlb, long va, int size) {
        Miss.unless((va & (1 << size) - 1) == 0);
        return hostToLoad(tlb, va, 0);
    }

    /** As {@link #hostToStore}, of one naturally aligned access of {@code 1 << size} bytes. */
    public static long hostToStoreAligned(long tlb, long va, int size) {
        Miss.unless((va & (1 << size) - 1) == 0);
        return hostToStore(tlb, va, 0);
    }

    public static int load8(long tlb, long va) {
        return RAW.getByte(hostToLoad(tlb, va, 0)) & 0xFF;
    }

    public static int load16(long tlb, long va) {
        return RAW.getShort(hostToLoad(tlb, va, 1)) & 0xFFFF;
    }

    public static int load32(long tlb, long va) {
        return RAW.getInt(hostToLoad(tlb, va, 3));
    }

    public static long load64(long tlb, long va) {
        return RAW.getLong(hostToLoad(tlb, va, 7));
    }

    public static void store8(long tlb, long va, int value) {
        RAW.putByte(hostToStore(tlb, va, 0), (byte) value);
    }

    public static void store16(long tlb, long va, int value) {
        RAW.putShort(hostToStore(tlb, va, 1), (short) value);
    }

    public static void store32(long tlb, long va, int value) {
        RAW.putInt(hostToStore(tlb, va, 3), value);
    }

    public static void store64(long tlb, long va, long value) {
        RAW.putLong(hostToStore(tlb, va, 7), value);
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
        NativeWords bank = new NativeWords(4096);
        long page = 4096;
        long at = bank.address() + Tlb.index(page);
        NativeWords.set(at, page);
        NativeWords.set(at + Tlb.WRITE, page);
        long sum = 0;
        for (int i = 0; i < REHEARSALS; i++) {
            sum += hostToLoad(bank.address(), page + 8, 7) + hostToStore(bank.address(), page + 8, 7);
            Miss.unless(sum != i);
        }
        return sum;
    }
}
