package gunyah.hyp.cspace;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;

import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectCalls;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.ThreadObject;
import java.util.List;

/** Hypercalls on capability spaces (Gunyah hyp/interfaces/cspace). */
public final class CSpaceCalls {
    private CSpaceCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x22, "cspace_delete_cap_from", 0, CSpaceCalls::delete,
                        cspace(Rights.CSPACE_CAP_DELETE), VALUE, RES0)
                        .inputs("cspace", "cap"),
                HypercallRow.of(0x23, "cspace_copy_cap_from", 1, CSpaceCalls::copy,
                        cspace(Rights.CSPACE_CAP_COPY), VALUE, cspace(Rights.CSPACE_CAP_CREATE), U32, RES0)
                        .inputs("source_cspace", "cap", "target_cspace", "rights_mask").outputs("new_cap")
                        .errors(HypError.CSPACE_INSUFFICIENT_RIGHTS, HypError.CSPACE_FULL)
                        .failingWith(CSpace.INVALID),
                HypercallRow.of(0x24, "cspace_revoke_cap_from", 0, ObjectCalls::unimplemented, VALUE, VALUE, RES0)
                        .inputs("cspace", "cap")
                        .errors(HypError.UNIMPLEMENTED),
                HypercallRow.of(0x25, "cspace_configure", 0, CSpaceCalls::configure,
                        HypercallArgument.init(ObjectType.CSPACE, Rights.OBJECT_ACTIVATE), VALUE, RES0)
                        .inputs("cspace", "max_caps")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x3E, "cspace_attach_thread", 0, CSpaceCalls::attachThread,
                        cspace(Rights.CSPACE_ATTACH),
                        HypercallArgument.init(ObjectType.THREAD, Rights.OBJECT_ACTIVATE), RES0)
                        .inputs("cspace", "thread")
                        .errors(HypError.OBJECT_STATE),
                HypercallRow.of(0x59, "cspace_revoke_caps_from", 0, CSpaceCalls::revokeCopies,
                        cspace(Rights.CSPACE_CAP_REVOKE), VALUE, RES0)
                        .inputs("cspace", "master_cap")
                        .errors(HypError.CSPACE_INSUFFICIENT_RIGHTS)
                        .note("Only a master capability revokes."));
    }

    private static HypercallArgument cspace(int rights) {
        return HypercallArgument.active(ObjectType.CSPACE, rights);
    }

    private static HypError delete(Caller caller, KernelObject cspace, KernelObject none, long[] x) {
        return ((CSpace) cspace).delete(x[1]);
    }

    private static HypError copy(Caller caller, KernelObject source, KernelObject target, long[] x) {
        return ((CSpace) source).copyTo(x[1], (CSpace) target, (int) x[3], x);
    }

    private static HypError configure(Caller caller, KernelObject cspace, KernelObject none, long[] x) {
        return ((CSpace) cspace).configure(x[1]);
    }

    private static HypError attachThread(Caller caller, KernelObject cspace, KernelObject thread, long[] x) {
        return ((ThreadObject) thread).attachCspace((CSpace) cspace);
    }

    private static HypError revokeCopies(Caller caller, KernelObject cspace, KernelObject none, long[] x) {
        return ((CSpace) cspace).revokeCopies(x[1]);
    }
}
