package gunyah.hyp.vcpu;

/** Event counters of one vCPU: written by its thread only, read by anybody; a reader may be some events behind. */
final class VcpuCounters {
    long runs;
    long hypercalls;
    long stage2Faults;
    long vmmioExits;
    long pageFaultExits;
    long vdeviceAccesses;
    long injectedAborts;
    long waits;
}
