/**
 * The event trace of a machine: who ran when and why it stopped, hypercalls, faults, interrupts. Fixed-size binary records
 * in preallocated rings, one for each physical CPU and one for threads that have none; writers never wait or allocate and
 * overwrite the oldest records. Entry type {@link gunyah.hyp.trace.TraceSink}, the rings {@link
 * gunyah.hyp.trace.TraceBuffer}, their one reader {@link gunyah.hyp.trace.TraceReader}. Source: Gunyah hyp/debug/trace_standard.
 */
package gunyah.hyp.trace;
