package gunyah.rm.rpc;

/**
 * Ends the handling of a request: its reply carries the error. Thrown by decoders and handlers, caught at dispatch;
 * never means a defect of ours, so it has no stack trace.
 */
public final class RmFault extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final RmError error;

    public RmFault(RmError error) {
        super(error.name(), null, false, false);
        this.error = error;
    }

    public RmError error() {
        return error;
    }
}
