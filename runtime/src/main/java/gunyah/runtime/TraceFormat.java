package gunyah.runtime;

import gunyah.hyp.trace.TraceRecord;

/** How a trace is written. Used by one thread; appends to the text it is given. */
interface TraceFormat {
    void begin(StringBuilder text);

    void event(StringBuilder text, TraceRecord event);

    /**
     * The last piece.
     *
     * @param ns     since the trace began
     * @param events those before
     * @param lost   those that are missing
     */
    void end(StringBuilder text, long ns, long events, long lost);
}
