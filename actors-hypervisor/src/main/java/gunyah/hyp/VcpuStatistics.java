package gunyah.hyp;

/**
 * Counters of one vCPU since it was activated. Read without stopping it, so values of one moment may differ by events
 * under way.
 *
 * @param name           for people, {@code vm-3/vcpu-0}
 * @param index          in its VM
 * @param state          what it is doing, for people
 * @param retired        instructions
 * @param runNs          nanoseconds it had a physical CPU
 * @param waitNs         nanoseconds it was runnable and waited for its turn
 * @param longestWaitNs  the longest of those waits
 * @param runs           times it was granted a physical CPU
 * @param hypercalls     HVC and SMC
 * @param stage2Faults   accesses that missed stage 2
 * @param vmmioExits     of those, reported to the proxy scheduler as VMMIO
 * @param pageFaultExits of those, reported as page faults
 * @param vdeviceAccesses of those, answered by a device of the hypervisor
 * @param injectedAborts of those, answered by an external abort
 * @param waits          WFI that found nothing pending
 * @param virqs          interrupts it acknowledged
 */
public record VcpuStatistics(String name, int index, String state, long retired, long runNs, long waitNs,
        long longestWaitNs, long runs, long hypercalls, long stage2Faults, long vmmioExits, long pageFaultExits,
        long vdeviceAccesses, long injectedAborts, long waits, long virqs) {
}
