package gunyah.rm.rpc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** First word of every reply (public Resource Manager, rm_types.h {@code rm_error_t}). */
public enum RmError {
    OK(0x0),
    UNIMPLEMENTED(0xffffffff),
    NOMEM(0x1),
    NORESOURCE(0x2),
    DENIED(0x3),
    MSG_INVALID(0x4),
    BUSY(0x5),
    ARGUMENT_INVALID(0x6),
    HANDLE_INVALID(0x7),
    VALIDATE_FAILED(0x8),
    MAP_FAILED(0x9),
    MEM_INVALID(0xa),
    MEM_INUSE(0xb),
    MEM_RELEASED(0xc),
    VMID_INVALID(0xd),
    LOOKUP_FAILED(0xe),
    IRQ_INVALID(0xf),
    IRQ_INUSE(0x10),
    IRQ_RELEASED(0x11),
    IN_USE(0x12),
    IRQ_NOT_MAPPED(0x13),
    VM_STATE(0x14);

    private static final Map<Integer, RmError> BY_CODE = new HashMap<>();

    static {
        for (RmError error : values()) {
            BY_CODE.put(error.code, error);
        }
    }

    private final int code;

    RmError(int code) {
        this.code = code;
    }

    /** {@return the word on the wire} */
    public int code() {
        return code;
    }

    /** {@return the error of this code; empty for a code that has no name} */
    public static Optional<RmError> of(int code) {
        return Optional.ofNullable(BY_CODE.get(code));
    }
}
