package gunyah.runtime;

import java.util.Locale;

/**
 * What one VM used, so far or until its exit; the fields of {@code --stats}.
 *
 * @param vm            name
 * @param exit          {@code off}, {@code reset}, {@code crashed}, {@code stopped}, or {@code running}
 * @param instructions  guest instructions retired, all vCPUs
 * @param wallSeconds   from launch to exit or now
 * @param cpuSeconds    CPU time of the vCPU threads
 * @param stage2Faults  stage-2 faults taken
 * @param hypercalls    hypercalls and other SMCCC calls of the guest
 * @param mmioExits     accesses answered by a device model of the VMM
 * @param virqs         virtual interrupts delivered
 * @param pagesLent     4 KiB pages given to the VM
 * @param pagesReturned 4 KiB pages that came back; equals pagesLent after the exit
 */
public record VmStatistics(String vm, String exit, long instructions, double wallSeconds, double cpuSeconds,
        long stage2Faults, long hypercalls, long mmioExits, long virqs, long pagesLent, long pagesReturned) {
    /** {@return the statistics with another exit label} */
    public VmStatistics withExit(String label) {
        return new VmStatistics(vm, label, instructions, wallSeconds, cpuSeconds, stage2Faults, hypercalls, mmioExits,
                virqs, pagesLent, pagesReturned);
    }

    /** {@return one JSON object on one line} */
    public String json() {
        return String.format(Locale.ROOT, "{\"vm\":%s,\"exit\":%s,\"instructions\":%d,\"wallSeconds\":%.3f,"
                + "\"cpuSeconds\":%.3f,\"stage2Faults\":%d,\"hypercalls\":%d,\"mmioExits\":%d,\"virqs\":%d,"
                + "\"pagesLent\":%d,\"pagesReturned\":%d}", quoted(vm), quoted(exit), instructions, wallSeconds,
                cpuSeconds, stage2Faults, hypercalls, mmioExits, virqs, pagesLent, pagesReturned);
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder();
        JsonObject.quote(json, text);
        return json.toString();
    }
}
