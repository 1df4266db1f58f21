package gunyah.vmm;

import java.util.Map;

/**
 * Counters of one VM since its launch; a snapshot, not taken at one instant.
 *
 * @param pagesLent       4 KiB pages that left the host for it
 * @param pagesReturned   of these, pages that came back
 * @param mmioExits       accesses by device name
 * @param unclaimedExits  accesses to addresses where nothing is, answered by an abort
 * @param inputWaiting    bytes typed that the guest has not read
 */
public record VmStatistics(long pagesLent, long pagesReturned, Map<String, Long> mmioExits, long unclaimedExits,
        int inputWaiting) {
}
