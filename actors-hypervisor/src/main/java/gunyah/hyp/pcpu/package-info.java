/**
 * Physical CPUs: one actor each, which is the fixed-priority round-robin scheduler of that CPU. It runs on the thread
 * of whoever sends to it (same-thread dispatcher) and grants its CPU to one {@link gunyah.hyp.pcpu.Schedulable} at a
 * time. Entry type {@link gunyah.hyp.pcpu.PcpuActor}. Source: Gunyah hyp/core/scheduler_fprr.
 */
package gunyah.hyp.pcpu;
