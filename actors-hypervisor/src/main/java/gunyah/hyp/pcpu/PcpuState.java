package gunyah.hyp.pcpu;

/**
 * What a physical CPU is doing.
 *
 * @param index      CPU number
 * @param active     name of the thread whose slice it is, empty when idle
 * @param running    name of the thread that executes: the active one or its yield target
 * @param busyNs     nanoseconds it was granted to threads
 * @param idleNs     nanoseconds without one
 * @param switches   grants so far
 * @param preemptions releases that the scheduler asked for
 */
public record PcpuState(int index, String active, String running, long busyNs, long idleNs, long switches,
        long preemptions) {
}
