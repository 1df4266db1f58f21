package gunyah.hyp;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.VALUE;

import gunyah.hyp.cspace.CSpace;
import java.util.List;

/** Life-cycle calls that take any object (Gunyah hyp/interfaces/object). */
public final class ObjectCalls {
    private ObjectCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x0C, "object_activate", 0, (caller, object, none, x) -> object.activate(),
                        HypercallArgument.any(null, Rights.OBJECT_ACTIVATE), RES0)
                        .inputs("object")
                        .errors(HypError.OBJECT_STATE, HypError.OBJECT_CONFIG, HypError.BUSY,
                                HypError.MEMDB_NOT_OWNER, HypError.DENIED)
                        .note("The object's own checks decide between the last four."),
                HypercallRow.of(0x0D, "object_activate_from", 0, ObjectCalls::activateFrom,
                        HypercallArgument.active(ObjectType.CSPACE, Rights.CSPACE_CAP_CREATE), VALUE, RES0)
                        .inputs("cspace", "object")
                        .errors(HypError.OBJECT_STATE, HypError.OBJECT_CONFIG, HypError.BUSY,
                                HypError.MEMDB_NOT_OWNER, HypError.DENIED)
                        .note("The object is looked up in that cspace with OBJECT_ACTIVATE."),
                HypercallRow.of(0x0E, "object_reset", 0, ObjectCalls::unimplemented, VALUE, RES0)
                        .inputs("object")
                        .errors(HypError.UNIMPLEMENTED),
                HypercallRow.of(0x0F, "object_reset_from", 0, ObjectCalls::unimplemented, VALUE, VALUE, RES0)
                        .inputs("cspace", "object")
                        .errors(HypError.UNIMPLEMENTED));
    }

    private static HypError activateFrom(Caller caller, KernelObject cspace, KernelObject none, long[] x) {
        CapResult found = ((CSpace) cspace).resolve(x[1], null, Rights.OBJECT_ACTIVATE, RequiredState.ANY);
        if (found instanceof HypError error) {
            return error;
        }
        KernelObject object = (KernelObject) found;
        try {
            return object.activate();
        } finally {
            object.release();
        }
    }

    /** The answer of calls that exist and do nothing. */
    public static HypError unimplemented(Caller caller, KernelObject first, KernelObject second, long[] x) {
        return HypError.UNIMPLEMENTED;
    }
}
