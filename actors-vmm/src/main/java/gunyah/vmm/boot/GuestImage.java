package gunyah.vmm.boot;

import java.util.List;

/**
 * What has to be in guest memory before the first instruction, and where that is.
 *
 * @param entry  guest physical address of the first instruction
 * @param chunks data by address, not overlapping
 * @param base   lowest address the payload needs
 * @param end    first address after what the payload needs, zero-initialised data included
 */
public record GuestImage(long entry, List<Chunk> chunks, long base, long end) {
    /**
     * Bytes in guest memory.
     *
     * @param gpa  address of the first
     * @param data array they are in; nobody changes it
     * @param from index of the first
     * @param size bytes
     */
    public record Chunk(long gpa, byte[] data, int from, int size) {
        /** All of an array. */
        public static Chunk of(long gpa, byte[] data) {
            return new Chunk(gpa, data, 0, data.length);
        }

        long end() {
            return gpa + size;
        }
    }
}
