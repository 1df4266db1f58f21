package gunyah.memory;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** {@link RawMemory} that throws {@link IndexOutOfBoundsException} for any address outside every live arena. */
final class CheckedMemory extends SegmentMemory {
    private static final ConcurrentSkipListMap<Long, Long> ARENAS = new ConcurrentSkipListMap<>();

    static void register(long base, long length) {
        ARENAS.put(base, length);
    }

    static void unregister(long base) {
        ARENAS.remove(base);
    }

    @Override
    void checkPair(long address) {
        check(address, 16);
    }

    @Override
    long check(long address, long length) {
        Map.Entry<Long, Long> arena = ARENAS.floorEntry(address);
        if (arena == null || length < 0 || address - arena.getKey() > arena.getValue() - length) {
            throw new IndexOutOfBoundsException("raw access of %d bytes at 0x%x is outside every arena"
                    .formatted(length, address));
        }
        return address;
    }
}
