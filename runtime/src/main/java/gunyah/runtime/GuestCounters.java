package gunyah.runtime;

import gunyah.hyp.VcpuStatistics;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What the layers below counted for one VM since its start.
 *
 * @param instructions  guest instructions retired, all vCPUs
 * @param cpuNs         CPU time of the vCPU threads, ns
 * @param stage2Faults  stage-2 faults taken
 * @param hypercalls    hypercalls and other SMCCC calls made by the guest
 * @param mmioExits     accesses that a device model of the VMM answered
 * @param virqs         virtual interrupts delivered
 * @param pagesLent     4 KiB pages given to the VM
 * @param pagesReturned 4 KiB pages that came back
 */
record GuestCounters(long instructions, long cpuNs, long stage2Faults, long hypercalls, long mmioExits, long virqs,
        long pagesLent, long pagesReturned) {

    static final GuestCounters ZERO = new GuestCounters(0, 0, 0, 0, 0, 0, 0, 0);

    static GuestCounters of(List<VcpuStatistics> vcpus, long pagesLent, long pagesReturned) {
        return new GuestCounters(sum(vcpus, VcpuStatistics::retired), sum(vcpus, VcpuStatistics::runNs),
                sum(vcpus, VcpuStatistics::stage2Faults), sum(vcpus, VcpuStatistics::hypercalls),
                sum(vcpus, VcpuStatistics::vmmioExits), sum(vcpus, VcpuStatistics::virqs), pagesLent, pagesReturned);
    }

    /** {@return the sum: a VM that was started again counts on} */
    GuestCounters plus(GuestCounters other) {
        return new GuestCounters(instructions + other.instructions, cpuNs + other.cpuNs,
                stage2Faults + other.stage2Faults, hypercalls + other.hypercalls, mmioExits + other.mmioExits,
                virqs + other.virqs, pagesLent + other.pagesLent, pagesReturned + other.pagesReturned);
    }

    private static long sum(List<VcpuStatistics> vcpus, ToLongFunction<VcpuStatistics> field) {
        return vcpus.stream().mapToLong(field).sum();
    }
}
