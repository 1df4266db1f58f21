package gunyah.rm.root;

import gunyah.hyp.HypError;
import gunyah.rm.rpc.RmError;

/** A hypercall of the Resource Manager was refused. */
public final class HypFault extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final HypError error;

    HypFault(String call, HypError error) {
        super(call + ": " + error);
        this.error = error;
    }

    public HypError error() {
        return error;
    }

    /** {@return what a client is told about it} (public Resource Manager, {@code rm_error_from_hyp}) */
    public RmError rmError() {
        return switch (error) {
            case OK -> RmError.OK;
            case UNIMPLEMENTED -> RmError.UNIMPLEMENTED;
            case NOMEM -> RmError.NOMEM;
            case NORESOURCES -> RmError.NORESOURCE;
            case BUSY -> RmError.BUSY;
            case ADDR_INVALID, ADDR_OVERFLOW, ADDR_UNDERFLOW -> RmError.MEM_INVALID;
            case ARGUMENT_INVALID -> RmError.ARGUMENT_INVALID;
            default -> RmError.DENIED;
        };
    }
}
