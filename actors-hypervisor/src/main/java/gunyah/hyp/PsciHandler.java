package gunyah.hyp;

/** The PSCI side of the SMCCC dispatcher: function ids of owner STANDARD, functions 0x00..0x1f. */
@FunctionalInterface
public interface PsciHandler {
    /**
     * Handles one call: inputs in {@code x[1..]}; results go into {@code x[0..3]}.
     *
     * @param function the function id without its SVE hint
     * @return false when the function is not known: the dispatcher answers -1
     */
    boolean call(Caller caller, int function, long[] x);
}
