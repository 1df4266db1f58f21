package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

/** Accesses at host addresses that {@link Mmu#hostToLoad} and {@link Mmu#hostToStore} gave, for translated code. */
public final class HostMemory {
    private HostMemory() {
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
}
