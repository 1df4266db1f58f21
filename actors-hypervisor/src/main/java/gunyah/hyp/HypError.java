package gunyah.hyp;

import java.util.HashMap;
import java.util.Map;

/** Error results of hypercalls (Gunyah hyp/core/base/types.tc and the {@code extend error} blocks). */
public enum HypError implements CapResult {
    OK(0),
    UNIMPLEMENTED(-1),
    RETRY(-2),
    ARGUMENT_INVALID(1),
    ARGUMENT_SIZE(2),
    ARGUMENT_ALIGNMENT(3),
    NOMEM(10),
    NORESOURCES(11),
    ADDR_OVERFLOW(20),
    ADDR_UNDERFLOW(21),
    ADDR_INVALID(22),
    DENIED(30),
    BUSY(31),
    IDLE(32),
    OBJECT_STATE(33),
    OBJECT_CONFIG(34),
    OBJECT_CONFIGURED(35),
    FAILURE(36),
    VIRQ_BOUND(40),
    VIRQ_NOT_BOUND(41),
    CSPACE_CAP_NULL(50),
    CSPACE_CAP_REVOKED(51),
    CSPACE_WRONG_OBJECT_TYPE(52),
    CSPACE_INSUFFICIENT_RIGHTS(53),
    CSPACE_FULL(54),
    MSGQUEUE_EMPTY(60),
    MSGQUEUE_FULL(61),
    ALLOCATOR_RANGE_OVERLAPPING(100),
    ALLOCATOR_MEM_INUSE(101),
    MEMDB_EMPTY(110),
    MEMDB_NOT_OWNER(111),
    MEMEXTENT_MAPPINGS_FULL(120),
    MEMEXTENT_TYPE(121),
    EXISTING_MAPPING(200);

    private static final Map<Integer, HypError> BY_CODE = new HashMap<>();

    static {
        for (HypError error : values()) {
            BY_CODE.put(error.code, error);
        }
    }

    private final int code;

    HypError(int code) {
        this.code = code;
    }

    /** {@return the value a guest sees in X0, sign extended to 64 bits} */
    public int code() {
        return code;
    }

    /** {@return the error of this code; FAILURE for a code that has no name} */
    public static HypError of(long code) {
        return BY_CODE.getOrDefault((int) code, FAILURE);
    }
}
