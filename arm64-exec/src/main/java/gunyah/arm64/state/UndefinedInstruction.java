package gunyah.arm64.state;

/**
 * Leaves an instruction that turned out UNDEFINED, trapped or illegal while executing: the engine takes an exception
 * to EL1 with {@link #esr}. One preallocated object per CPU, without stack trace; never leaves the engine.
 */
public final class UndefinedInstruction extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The full ESR_EL1 value, EC included; EC 0 (unknown reason) is {@code 0x0200_0000}. */
    public long esr;

    public UndefinedInstruction() {
        super(null, null, false, false);
    }
}
