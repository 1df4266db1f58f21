package gunyah.hyp.hwirq;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.active;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.VirqController;
import java.util.List;

/** Hypercalls on hardware interrupts (Gunyah hyp/interfaces/vic). */
public final class HwIrqCalls {
    private static final HypercallArgument HWIRQ = active(ObjectType.HWIRQ, Rights.HWIRQ_BIND_VIC);

    private HwIrqCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x26, "hwirq_bind_virq", 0, (caller, hwirq, vic, x) ->
                        ((HwIrq) hwirq).bind((VirqController) vic, (int) x[2]),
                        HWIRQ, active(ObjectType.VIC, Rights.VIC_BIND_SOURCE), U32, RES0)
                        .inputs("hwirq", "vic", "virq_info")
                        .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x27, "hwirq_unbind_virq", 0, (caller, hwirq, none, x) -> ((HwIrq) hwirq).unbind(),
                        HWIRQ, RES0)
                        .inputs("hwirq").errors(HypError.VIRQ_NOT_BOUND));
    }
}
