package gunyah.hyp.vpm;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.VirqController;
import gunyah.hyp.vcpu.Vcpu;
import java.util.List;

/** Hypercalls on VPM groups (Gunyah hyp/interfaces/vpm). */
public final class VpmCalls {
    private VpmCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x3C, "vpm_group_attach_vcpu", 0, (caller, group, vcpu, x) ->
                        ((VpmGroup) group).attach((Vcpu) vcpu, x[2]),
                        active(ObjectType.VPM_GROUP, Rights.VPM_GROUP_ATTACH_VCPU),
                        init(ObjectType.THREAD, Rights.OBJECT_ACTIVATE), VALUE, RES0)
                        .inputs("vpm_group", "vcpu", "index")
                        .errors(HypError.ARGUMENT_INVALID, HypError.BUSY, HypError.OBJECT_STATE),
                HypercallRow.of(0x43, "vpm_group_bind_virq", 0, (caller, group, vic, x) ->
                        ((VpmGroup) group).bind((VirqController) vic, (int) x[2]),
                        active(ObjectType.VPM_GROUP, Rights.VPM_GROUP_BIND_VIRQ),
                        active(ObjectType.VIC, Rights.VIC_BIND_SOURCE), U32, RES0)
                        .inputs("vpm_group", "vic", "virq_info")
                        .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x44, "vpm_group_unbind_virq", 0, (caller, group, none, x) ->
                        ((VpmGroup) group).unbind(),
                        active(ObjectType.VPM_GROUP, Rights.VPM_GROUP_BIND_VIRQ), RES0)
                        .inputs("vpm_group"),
                HypercallRow.of(0x45, "vpm_group_get_state", 1, (caller, group, none, x) -> {
                    x[1] = ((VpmGroup) group).powerState();
                    return HypError.OK;
                }, active(ObjectType.VPM_GROUP, Rights.VPM_GROUP_QUERY), RES0)
                        .inputs("vpm_group").outputs("state"),
                HypercallRow.of(0x66, "vpm_group_configure", 0, (caller, group, none, x) ->
                        ((VpmGroup) group).configure(x[1]),
                        init(ObjectType.VPM_GROUP, Rights.OBJECT_ACTIVATE), VALUE, RES0)
                        .inputs("vpm_group", "flags")
                        .errors(HypError.UNIMPLEMENTED));
    }
}
