package gunyah.vmm.balloon;

import java.util.Map;

/**
 * What a guest says of its memory (virtio 1.2, 5.5.6.4).
 *
 * @param values by tag; those of bytes and those that count
 */
public record BalloonStatistics(Map<Tag, Long> values) {
    /** Tags in the order of their numbers, from 0. */
    public enum Tag {
        SWAP_IN, SWAP_OUT, MAJOR_FAULTS, MINOR_FAULTS, FREE_BYTES, TOTAL_BYTES, AVAILABLE_BYTES, CACHE_BYTES,
        HUGE_PAGES_MADE, HUGE_PAGES_FAILED
    }

    public BalloonStatistics {
        values = Map.copyOf(values);
    }
}
