package gunyah.hyp;

/** The PSCI side of the SMCCC dispatcher: function ids of owner STANDARD, functions 0x00..0x1f. */
@FunctionalInterface
public interface PsciHandler {
    /**
     * Handles one call: {@code x[0]} is the function id, inputs follow; results go into {@code x[0..3]}.
     *
     * @return false when the function is not known: the dispatcher answers -1
     */
    boolean call(Caller caller, long[] x);
}
