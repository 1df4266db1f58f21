package gunyah.arm64.mmu;

/** Ends a trial of code before an instruction that it must not execute; see {@link TrialMemory}. Not an error. */
public final class TrialStop extends RuntimeException {
    /** The instruction would do something outside its CPU and the trial's memory. */
    public static final TrialStop OUTSIDE = new TrialStop("outside");
    /** The trial's memory has the page now: from the start again. */
    public static final TrialStop AGAIN = new TrialStop("again");
    /** The CPU's TLB does not know the page either, or the trial's memory is full. */
    public static final TrialStop UNKNOWN = new TrialStop("unknown");

    private static final long serialVersionUID = 1;

    private TrialStop(String what) {
        super(what, null, false, false);
    }
}
